/** Tells a job the size of the terminal, and its changes. */
import type { Terminal, TerminalSize } from "../io.ts";

/**
 * Sends the size of the terminal at its changes. At most one call is in flight. Sizes that come meanwhile are joined: the
 * newest one is sent next.
 */
export class SizeFollower implements Disposable {
  readonly #terminal: Terminal;
  readonly #resize: (size: TerminalSize) => Promise<unknown>;
  readonly #listener: Disposable;
  #isSending = false;
  /** The size at the last call. */
  #sent: TerminalSize;
  #isRedrawWanted = false;
  #isStopped = false;

  /**
   * @param sent the size that the job's terminal has
   * @param resize makes the call. When it fails, this size is given up
   */
  constructor(terminal: Terminal, sent: TerminalSize, resize: (size: TerminalSize) => Promise<unknown>) {
    this.#terminal = terminal;
    this.#sent = sent;
    this.#resize = resize;
    this.#listener = terminal.onResize(() => void this.#send());
  }

  /** Sends the size if it differs. */
  update(): void {
    void this.#send();
  }

  /** Makes the job draw its screen again: another size, then the right one. The kernel tells a job only of changes. */
  redraw(): void {
    this.#isRedrawWanted = true;
    void this.#send();
  }

  async #send(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    try {
      while (!this.#isStopped) {
        const size = this.#terminal.size();
        const isRedraw = this.#isRedrawWanted;
        this.#isRedrawWanted = false;
        const isSame = size.columns === this.#sent.columns && size.rows === this.#sent.rows;
        if (isSame && !isRedraw) break;
        this.#sent = isSame && isRedraw ? { ...size, rows: size.rows > 1 ? size.rows - 1 : 2 } : size;
        await this.#resize(this.#sent);
      }
    } catch {
      // The job has ended, or this user may not write to it. The next change is tried again.
    } finally {
      this.#isSending = false;
    }
  }

  [Symbol.dispose](): void {
    this.#isStopped = true;
    this.#listener[Symbol.dispose]();
  }
}
