/**
 * What is used of OHIF 3.11 to 3.14, in our own words: its packages hold no declarations. A member that not all of these
 * versions have is optional.
 */
export interface Subscription {
  unsubscribe(): void;
}

export interface PubSub<Event extends string> {
  readonly EVENTS: Readonly<Record<Event, string>>;
  subscribe(event: string, listener: () => void): Subscription;
}

/** A SEG's attributes as OHIF names them; a sequence of one item may be that item. */
export interface SegInstance {
  readonly Rows?: number;
  readonly Columns?: number;
  readonly NumberOfFrames?: number;
  readonly BitsAllocated?: number;
  readonly PerFrameFunctionalGroupsSequence?: Sequence<{
    readonly SegmentIdentificationSequence?: Sequence<{ readonly ReferencedSegmentNumber?: number }>;
    readonly DerivationImageSequence?: Sequence<{
      readonly SourceImageSequence?: Sequence<{
        readonly ReferencedSOPInstanceUID?: string;
        readonly ReferencedFrameNumber?: number;
      }>;
    }>;
  }>;
}

export type Sequence<Item> = Item | readonly Item[];

export interface DisplaySet {
  readonly displaySetInstanceUID: string;
  readonly StudyInstanceUID: string;
  readonly SeriesInstanceUID: string;
  readonly Modality?: string;
  readonly SeriesDescription?: string;
  readonly imageIds?: readonly string[];
  /** Of a SEG: the images that it was made of. */
  readonly referencedDisplaySetInstanceUID?: string;
  readonly instance?: SegInstance;
  isHydrated?: boolean;
  load?(options: { readonly headers: Readonly<Record<string, string>> }): Promise<unknown>;
}

export interface GridViewport {
  readonly viewportId: string;
  readonly displaySetInstanceUIDs?: readonly string[];
}

export interface CornerstoneViewport {
  getImageData?(): unknown;
  getCurrentImageId?(): string | undefined;
  /** @param point mm in LPS */
  jumpToWorld?(point: [number, number, number]): unknown;
  setViewReference?(reference: { readonly cameraFocalPoint: readonly [number, number, number] }): void;
  render?(): void;
}

export interface DicomwebClient {
  retrieveInstance(options: unknown): Promise<unknown>;
}

export interface DataSource {
  getConfig?(): { readonly name?: string };
  deleteStudyMetadataPromise?(key: string): void;
  readonly retrieve: {
    /** Since 3.13: a SEG's frames are read from its whole file. */
    prefetchInstanceFrames?(options: unknown): unknown;
    getWadoDicomWebClient?(): DicomwebClient;
    readonly series: {
      metadata(options: {
        readonly StudyInstanceUID: string;
        readonly filters: { readonly seriesInstanceUID: readonly string[] };
        readonly madeInClient: boolean;
      }): Promise<unknown>;
    };
  };
}

export interface OhifServices {
  readonly displaySetService: {
    getDisplaySetByUID(uid: string): DisplaySet | undefined;
    getDisplaySetsForSeries(seriesInstanceUid: string): readonly DisplaySet[] | undefined;
  };
  readonly viewportGridService: PubSub<"ACTIVE_VIEWPORT_ID_CHANGED" | "GRID_STATE_CHANGED"> & {
    getState(): { readonly viewports: ReadonlyMap<string, GridViewport>; readonly activeViewportId: string };
  };
  readonly cornerstoneViewportService: PubSub<"VIEWPORT_DATA_CHANGED"> & {
    getCornerstoneViewport(viewportId: string): CornerstoneViewport | null | undefined;
  };
  readonly segmentationService: {
    getSegmentation(segmentationId: string): unknown;
    createLabelmapForDisplaySet?(
      displaySet: DisplaySet,
      options: {
        readonly segmentationId: string;
        readonly label: string;
        readonly segments: Readonly<Record<number, unknown>>;
      },
    ): Promise<string>;
    remove?(segmentationId: string): void;
    setStyle?(
      specifier: { readonly segmentationId: string; readonly type: "Labelmap" },
      style: { readonly renderOutline: boolean },
    ): void;
    getSegmentationRepresentations(
      viewportId: string,
      specifier: { readonly segmentationId: string },
    ): readonly unknown[];
    addSegmentationRepresentation(
      viewportId: string,
      options: { readonly segmentationId: string; readonly type?: "Labelmap" },
    ): Promise<void>;
    removeRepresentationsFromViewport?(viewportId: string, specifier: { readonly segmentationId: string }): void;
    removeSegmentationRepresentations?(viewportId: string, specifier: { readonly segmentationId: string }): void;
  };
  readonly userAuthenticationService: {
    getAuthorizationHeader(): Readonly<Record<string, string>> | undefined;
  };
  readonly uiNotificationService: {
    show(notification: {
      readonly title: string;
      readonly message: string;
      readonly type: "success" | "error" | "info";
    }): unknown;
  };
  readonly customizationService: { getCustomization(key: string): unknown };
  readonly panelService: { activatePanel(panelId: string, forceActive?: boolean): void };
  readonly toolbarService: {
    register?(buttons: readonly unknown[]): void;
    updateSection?(section: string, buttons: readonly string[]): void;
  };
}

/** What OHIF hands to an extension. */
export interface OhifContext {
  readonly servicesManager: { readonly services: OhifServices };
  readonly extensionManager: {
    getActiveDataSource(): readonly DataSource[];
    getModuleEntry(id: string): { readonly component?: unknown } | undefined;
  };
  readonly commandsManager: { run(command: string, options?: Readonly<Record<string, unknown>>): unknown };
}
