export { type OverlayInput, overlayPages, overlayPicture, type RgbPicture } from "./overlay-picture.ts";
