/*
 * The connection to cti-gw: one WebSocket, logins, questions and their answers, and its return after
 * a loss. It knows nothing of what the messages mean.
 */

export type Value = null | boolean | number | string | Value[] | { [key: string]: Value };
export interface Message {
  class: string;
  [key: string]: any;
}

/* connecting: nothing is known; live: what the store shows is what is; lost: it is what was. */
export type Phase = "logged_out" | "connecting" | "live" | "lost";

export type Credentials =
  | { how: "password"; user: string; password: string; remember: boolean }
  | { how: "token"; token: string }
  | { how: "proxy" };

export interface Handlers {
  phase(phase: Phase): void;
  /* The answer to the login, before anything else of that session. */
  opened(answer: Message): void;
  message(message: Message): void;
  /* The login is refused: the user must log in again. reason: an error_string of the protocol. */
  refused(reason: string): void;
}

/* The part of WebSocket that is used, so that tests can give another. */
export interface Socket {
  send(text: string): void;
  close(): void;
  onopen: (() => void) | null;
  onmessage: ((event: { data: any }) => void) | null;
  onclose: (() => void) | null;
}

export interface Environment {
  open(): Socket;
  ident: string;
  now(): number; // ms
  later(ms: number, fn: () => void): number;
  cancel(timer: number): void;
  random(): number; // 0 to 1
}

export class Refused extends Error {
  constructor(public readonly reason: string, public readonly answer: Message | null = null) {
    super(reason);
  }
}

interface Question {
  resolve(answer: Message): void;
  reject(error: Refused): void;
  later?: (message: Message) => void; // further lines with this replyid
  parts?: (message: Message) => boolean; // takes each line; true: it was the last
  timer: number;
}

const ANSWER_MS = 15000; // the gateway answers within 5 s, state within 8
const SILENCE_MS = 20000; // then a keepalive is sent, and must be answered in
const SIGN_MS = 8000;
const BACKOFF_MS = [300, 700, 1500, 3000, 6000, 12000];
/* A refusal that ends with time alone. */
const TEMPORARY = ["noconn", "busy", "login_unavailable"];

export class Connection {
  private socket: Socket | null = null;
  private credentials: Credentials | null = null;
  private phaseNow: Phase = "logged_out";
  private nextId = 1;
  private questions = new Map<number, Question>();
  private tries = 0;
  private lastHeard = 0;
  private watch = 0;
  private retry = 0;
  private everLive = false;

  constructor(private env: Environment, private handlers: Handlers) {}

  get phase(): Phase {
    return this.phaseNow;
  }

  /* Logs in, and again after every loss until logout. */
  login(credentials: Credentials): void {
    this.drop();
    this.credentials = credentials;
    this.everLive = false;
    this.tries = 0;
    this.connect();
  }

  /* everywhere: all browsers of the user. */
  logout(token: string | null, everywhere = false): void {
    if (this.socket && this.phaseNow === "live")
      this.write({ class: "logout", ...(token ? { token } : {}), ...(everywhere ? { everywhere } : {}) });
    this.credentials = null;
    this.drop();
    this.setPhase("logged_out");
  }

  /* The token that a login by password has brought replaces the password. */
  remember(token: string): void {
    this.credentials = { how: "token", token };
  }

  /* Something has happened (the page is shown again, the network is back): looks at once whether the
   * connection still holds. */
  probe(): void {
    if (this.retry) {
      this.env.cancel(this.retry);
      this.retry = 0;
      this.connect();
    } else if (this.phaseNow === "live") {
      this.sendKeepalive();
    }
  }

  /* A message that has no answer of its own. */
  tell(cls: string, fields: object = {}): void {
    if (this.phaseNow === "live") this.write({ class: cls, ...fields });
  }

  /* Rejects with Refused: error_string or warning_string of the answer, "timeout" or "lost". later:
   * gets further lines of the same question. */
  ask(cls: string, fields: object = {}, later?: (message: Message) => void): Promise<Message> {
    return this.question(cls, fields, { later });
  }

  /* A question whose answer comes in lines: each to `part`, until it says that it was the last. */
  askParts(cls: string, fields: object, part: (message: Message) => boolean): Promise<Message> {
    return this.question(cls, fields, { parts: part });
  }

  /* The page is hidden for good, or kept by the browser for its Back button: the session ends. */
  leave(): void {
    if (!this.credentials || !this.socket) return;
    this.drop();
    this.setPhase("lost");
  }

  /* It is shown again. */
  comeBack(): void {
    if (this.credentials && !this.socket && !this.retry) this.connect();
  }

  /* ---- */

  private question(cls: string, fields: object, how: Partial<Question>): Promise<Message> {
    return new Promise((resolve, reject) => {
      if (!this.socket || this.phaseNow !== "live") {
        reject(new Refused("lost"));
        return;
      }
      const id = this.nextId++;
      const timer = this.env.later(ANSWER_MS, () => {
        this.questions.delete(id);
        reject(new Refused("timeout"));
      });
      this.questions.set(id, { resolve, reject, timer, ...how });
      this.write({ class: cls, commandid: id, ...fields });
    });
  }

  private write(message: object): void {
    this.socket?.send(JSON.stringify(message));
  }

  private setPhase(phase: Phase): void {
    if (phase === this.phaseNow) return;
    this.phaseNow = phase;
    this.handlers.phase(phase);
  }

  private connect(): void {
    const socket = this.env.open();
    this.socket = socket;
    this.setPhase(this.everLive ? "lost" : "connecting");
    socket.onopen = () => this.sendLogin();
    socket.onmessage = (event) => this.onText(socket, event.data);
    socket.onclose = () => this.onClose(socket);
    this.lastHeard = this.env.now();
    this.startWatch();
  }

  private sendLogin(): void {
    const c = this.credentials;
    const common = {
      commandid: 0,
      ident: this.env.ident,
      xivoversion: "1.2",
      state: "available",
      accepts: ["login_throttled", "login_hashed", "calls", "sheet_json", "state"],
    };
    if (c?.how === "password")
      this.write({ class: "login_password", userlogin: c.user, password: c.password, remember: true, ...common });
    else if (c?.how === "token") this.write({ class: "login_token", token: c.token, ...common });
    else if (c) this.write({ class: "login_proxy", ...common });
  }

  private onText(socket: Socket, text: any): void {
    let message: Message;
    if (socket !== this.socket || typeof text !== "string") return;
    this.lastHeard = this.env.now();
    try {
      message = JSON.parse(text);
    } catch {
      return; // not of this server
    }
    if (typeof message !== "object" || !message || typeof message.class !== "string") return;
    if (this.phaseNow !== "live") this.onLogin(message);
    else this.onMessage(message);
  }

  private onLogin(message: Message): void {
    if (!message.class.startsWith("login_")) return;
    if (message.error_string) {
      if (this.everLive && TEMPORARY.includes(message.error_string)) return; // tried again when it closes
      this.credentials = null;
      this.drop();
      this.setPhase("logged_out");
      this.handlers.refused(message.error_string);
      return;
    }
    this.tries = 0;
    this.everLive = true;
    this.setPhase("live");
    this.handlers.opened(message);
  }

  private onMessage(message: Message): void {
    const q = typeof message.replyid === "number" ? this.questions.get(message.replyid) : undefined;
    if (message.class === "disconnect") {
      this.credentials = null;
      this.drop();
      this.setPhase("logged_out");
      this.handlers.refused("disconnected");
      return;
    }
    if (q) this.onAnswer(message.replyid, q, message);
    this.handlers.message(message);
  }

  private onAnswer(id: number, q: Question, message: Message): void {
    const wrong = message.error_string ?? message.warning_string;
    if (q.timer === 0) {
      q.later?.(message);
      return;
    }
    if (q.parts && !wrong && !q.parts(message)) {
      this.env.cancel(q.timer);
      q.timer = this.env.later(ANSWER_MS, () => {
        this.questions.delete(id);
        q.reject(new Refused("timeout"));
      });
      return;
    }
    this.env.cancel(q.timer);
    q.timer = 0;
    if (q.later) this.env.later(4 * ANSWER_MS, () => this.questions.delete(id));
    else this.questions.delete(id);
    if (wrong) q.reject(new Refused(String(wrong), message));
    else q.resolve(message);
  }

  private onClose(socket: Socket): void {
    if (socket !== this.socket) return;
    this.drop();
    if (!this.credentials) return;
    this.setPhase(this.everLive ? "lost" : "connecting");
    const base = BACKOFF_MS[Math.min(this.tries++, BACKOFF_MS.length - 1)];
    this.retry = this.env.later(base * (0.5 + this.env.random()), () => {
      this.retry = 0;
      this.connect();
    });
  }

  /* Ends the connection without a word; questions fail. */
  private drop(): void {
    const socket = this.socket;
    this.socket = null;
    if (this.watch) this.env.cancel(this.watch);
    if (this.retry) this.env.cancel(this.retry);
    this.watch = this.retry = 0;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
    for (const q of this.questions.values())
      if (q.timer) {
        this.env.cancel(q.timer);
        q.reject(new Refused("lost"));
      }
    this.questions.clear();
  }

  private startWatch(): void {
    this.watch = this.env.later(SIGN_MS / 4, () => this.look());
  }

  /* A socket whose network is gone says nothing by itself for minutes. */
  private look(): void {
    const silent = this.env.now() - this.lastHeard;
    const socket = this.socket;
    this.watch = 0;
    if (!socket) return;
    if (silent > SILENCE_MS + SIGN_MS || (this.phaseNow !== "live" && silent > SIGN_MS)) {
      this.onClose(socket);
      return;
    }
    if (silent > SILENCE_MS) this.sendKeepalive();
    this.startWatch();
  }

  private sendKeepalive(): void {
    this.write({ class: "keepalive" });
    if (this.env.now() - this.lastHeard < SILENCE_MS)
      this.lastHeard = this.env.now() - SILENCE_MS; // answered in SIGN_MS, or it is lost
  }
}
