/** The viewer cannot be had or cannot start; the message says what to do. */
export class ViewerUnavailableError extends Error {
  override readonly name = "ViewerUnavailableError";
}
