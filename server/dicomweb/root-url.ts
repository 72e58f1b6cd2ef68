import { InvalidRequestError } from "../domain/errors.ts";

/** The DICOMweb root of an archive: what every request's path is appended to. */
export interface RootUrl {
  /** Without credentials, query and closing slash. */
  readonly href: string;
  readonly secure: boolean;
  /** Authorization header of the credentials that the URL held. */
  readonly authorization?: string;
}

/** @throws InvalidRequestError whose message does not hold the URL, which may hold a password */
export function parseRootUrl(text: string): RootUrl {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== "" || url.hash !== "") {
    throw new InvalidRequestError(
      "PARSE3D_DICOMWEB_URL is not the address of a DICOMweb root: give one such as http://127.0.0.1:8042/dicom-web.",
    );
  }
  const { username, password } = url;
  url.username = "";
  url.password = "";
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return {
    href: url.href.replace(/\/+$/, ""),
    secure: url.protocol === "https:",
    ...(username !== "" && { authorization: `Basic ${Buffer.from(credentials).toString("base64")}` }),
  };
}
