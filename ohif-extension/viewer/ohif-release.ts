import { ViewerUnavailableError } from "./errors.ts";

/** A release of the ready-built OHIF viewer, as npm's package `@ohif/app` holds it. */
export interface OhifRelease {
  readonly version: string;
  /** Of the package's tarball: Subresource Integrity, like npm's lock files. */
  readonly integrity: `sha512-${string}`;
}

/** The releases that the browser tests run on, the oldest first. */
export const testedReleases: readonly OhifRelease[] = [
  {
    version: "3.11.1",
    integrity: "sha512-0lJRyHguGuIR06PxeJ3rqnPWf1OAqsaXGuqT2kl5HkNjIOxBDnRTTMvyHnkn3ZyjcHlsIhY8gf0h7AhVORqsSQ==",
  },
  {
    version: "3.12.10",
    integrity: "sha512-0kuF66Mq9c9dMD++bUsTjMrJpXJwaZhz9B4uS244DawAjSkTwIYFU93pxPuRUQixaRi7QAHlF3Fe1qudBlZrmA==",
  },
  {
    version: "3.13.2",
    integrity: "sha512-WZdxmpmG7rqFgW9ZJLcbgr3XCtLi1KDNPoMaeY5PPe6j4G4fjEjjkycZM6C6Zk2F87BKxFfpq+jd5xXZB9E8EA==",
  },
  {
    version: "3.14.0-beta.6",
    integrity: "sha512-QwA0talqhh4VlUR+QgT2t8FP7NpX++4s6Z9Cp5VIcta3JMd2zGBPTp/R9t7JaX0Xi1AHAZAJxTv502R+SawaBg==",
  },
];

const usual = "3.13.2";

/** @throws ViewerUnavailableError where nobody has tested that version */
export function ohifRelease(version: string = usual): OhifRelease {
  const release = testedReleases.find((one) => one.version === version);
  if (release) return release;
  const versions = testedReleases.map((one) => one.version).join(", ");
  throw new ViewerUnavailableError(`OHIF ${version} was not tested with Parse3D. These were: ${versions}.`);
}
