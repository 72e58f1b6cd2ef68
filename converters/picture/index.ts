export { type OverlayInput, overlayPicture, type RgbPicture } from "./overlay-picture.ts";
