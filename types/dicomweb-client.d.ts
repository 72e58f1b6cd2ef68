/** As much of dicomweb-client as is used; its own declarations need a browser's types and miss a file. */
declare module "dicomweb-client" {
  /** What the client calls on an XMLHttpRequest that it is given. */
  export interface RequestInstance {
    open(method: string, url: string): void;
    setRequestHeader(name: string, value: string): void;
    send(data?: ArrayBuffer): void;
  }

  interface Options {
    readonly request: { readonly instance: RequestInstance };
  }

  interface Search extends Options {
    readonly queryParams?: Readonly<Record<string, string | number>>;
  }

  interface Client {
    searchForStudies(options: Search): Promise<unknown>;
    searchForSeries(options: Search & { readonly studyInstanceUID?: string }): Promise<unknown>;
    searchForInstances(
      options: Search & { readonly studyInstanceUID?: string; readonly seriesInstanceUID?: string },
    ): Promise<unknown>;
    retrieveSeriesMetadata(
      options: Options & { readonly studyInstanceUID: string; readonly seriesInstanceUID: string },
    ): Promise<unknown>;
    retrieveInstanceMetadata(
      options: Options & {
        readonly studyInstanceUID: string;
        readonly seriesInstanceUID: string;
        readonly sopInstanceUID: string;
      },
    ): Promise<unknown>;
    retrieveSeries(options: {
      readonly studyInstanceUID: string;
      readonly seriesInstanceUID: string;
      readonly mediaTypes?: readonly { readonly mediaType: string; readonly transferSyntaxUID?: string }[];
      readonly request?: { readonly instance: unknown };
    }): Promise<ArrayBuffer[]>;
    storeInstances(options: Partial<Options> & { readonly datasets: readonly ArrayBuffer[] }): Promise<unknown>;
  }

  export const api: {
    readonly DICOMwebClient: new (options: {
      readonly url: string;
      readonly verbose?: boolean;
      readonly headers?: Readonly<Record<string, string>>;
    }) => Client;
  };
}
