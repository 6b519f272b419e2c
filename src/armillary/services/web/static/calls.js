// Asking the desk. What goes wrong becomes a Problem: words and a next step.

const QUIET = 300;
/** Where the desk is: a server in front of it may have put it under a prefix. */
export const DESK = new URL("../", import.meta.url).pathname;

/** What went wrong, in words. */
export class Problem extends Error {
  /** @param {{error?: string, problem?: string, next_step?: string, request?: string, problems?: any[]}} told */
  constructor(told) {
    super(told.problem ?? "something went wrong");
    this.kind = told.error ?? "ArmillaryError";
    this.nextStep = told.next_step ?? "try again";
    this.request = told.request ?? "";
    this.all = told.problems?.map((one) => new Problem(one)) ?? [this];
  }
}

/**
 * Ask and give the answer.
 * @param {string} path under /api/
 * @param {[string, string][]} [pairs]
 * @param {RequestInit} [how]
 * @returns {Promise<Response>}
 */
export async function ask(path, pairs = [], how = {}) {
  const query = new URLSearchParams(pairs).toString();
  let answer;
  try {
    answer = await fetch(`${DESK}api/${path}${query ? `?${query}` : ""}`, how);
  } catch (broken) {
    if (how.signal?.aborted) throw broken;
    throw new Problem({ problem: "the desk does not answer", next_step: "start `armillary desk` again, then reload" });
  }
  if (answer.ok) return answer;
  throw new Problem(await answer.json().catch(() => ({ problem: `the desk answered ${answer.status}` })));
}

/** @param {string} path @param {[string, string][]} [pairs] @returns {Promise<any>} */
export async function askJson(path, pairs = []) {
  return (await ask(path, pairs)).json();
}

/**
 * A question that takes its time: it has a ticket, tells how far it is, and can be stopped.
 */
export class Waiting {
  /**
   * @param {string} path
   * @param {[string, string][]} pairs
   * @param {(fraction: number, message: string) => void} tell
   */
  constructor(path, pairs, tell) {
    this.ticket = ticketNumber();
    this.leaving = new AbortController();
    this.ended = false;
    this.timer = setTimeout(() => this.listen(tell), QUIET);
    this.answer = ask(path, [...pairs, ["ticket", this.ticket]], { signal: this.leaving.signal }).finally(() => this.end());
  }

  /** @param {(fraction: number, message: string) => void} tell */
  listen(tell) {
    this.events = new EventSource(`${DESK}api/progress/${this.ticket}`);
    this.events.onmessage = (event) => {
      const told = JSON.parse(event.data);
      if (!this.ended) tell(told.fraction, told.message);
      if (told.done) this.events?.close();
    };
    this.events.onerror = () => this.events?.close();
  }

  end() {
    this.ended = true;
    clearTimeout(this.timer);
    this.events?.close();
  }

  /** Stop it, here and there. */
  cancel() {
    if (this.ended) return;
    this.end();
    this.leaving.abort();
    fetch(`${DESK}api/progress/${this.ticket}`, { method: "DELETE", keepalive: true }).catch(() => {});
  }
}

function ticketNumber() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (one) => one.toString(16).padStart(2, "0")).join("");
}
