/** A release of the ready-built OHIF viewer, as npm's package `@ohif/app` holds it. */
export interface OhifRelease {
  readonly version: string;
  /** Of the package's tarball: Subresource Integrity, like npm's lock files. */
  readonly integrity: `sha512-${string}`;
}

/** The release that Parse3D's viewer is made of and that the browser tests run on. */
export const ohifRelease: OhifRelease = {
  version: "3.13.2",
  integrity: "sha512-WZdxmpmG7rqFgW9ZJLcbgr3XCtLi1KDNPoMaeY5PPe6j4G4fjEjjkycZM6C6Zk2F87BKxFfpq+jd5xXZB9E8EA==",
};
