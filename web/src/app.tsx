import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "./app.css";
import { initialLanguage, setLanguage, t } from "./i18n";
import type { Socket } from "./protocol";
import { Session, TOKEN } from "./session";
import { SessionContext, useSession, useTopic } from "./ui/hooks";
import { Toasts } from "./ui/parts";
import { Admin } from "./views/admin";
import { Login } from "./views/login";
import { Logo } from "./views/logo";
import { applyTheme, Shell } from "./views/shell";
import { Wall } from "./views/wall";

/* The token lies in the browser for good, or as long as this tab: as the user has chosen. */
const saved = {
  get: (key: string) => sessionStorage.getItem(key) ?? localStorage.getItem(key),
  set(key: string, value: string | null, forGood: boolean) {
    sessionStorage.removeItem(key);
    localStorage.removeItem(key);
    if (value !== null) (forGood ? localStorage : sessionStorage).setItem(key, value);
  },
};

/* A screen that nobody types at: its token comes behind the # of its address, and lies in this tab only, beside
 * what the browser has of others. */
const screenKey = (key: string) => "ctibus.screen/" + key;
const screenStore = {
  get: (key: string) => sessionStorage.getItem(screenKey(key)),
  set(key: string, value: string | null) {
    if (value === null) sessionStorage.removeItem(screenKey(key));
    else sessionStorage.setItem(screenKey(key), value);
  },
};

/* Takes it out of the address. False: there was none. */
function takeToken(): boolean {
  const token = window.location.pathname === "/wall" ? /^#token=(.*)$/.exec(window.location.hash)?.[1] : undefined;
  if (token === undefined) return false;
  window.history.replaceState(null, "", "/wall");
  if (/^[A-Za-z0-9]{43}$/.test(token)) screenStore.set(TOKEN, token);
  return true;
}

function open(): Socket {
  const { protocol, host } = window.location;
  return new WebSocket(`${protocol === "https:" ? "wss" : "ws"}://${host}/cti`) as unknown as Socket;
}

function App() {
  const session = useSession();
  useTopic("session");
  if (session.phase === "logged_out") return <Login />;
  if (!session.ready) return session.phase === "connecting" && !session.resuming ? <Login /> : <Starting />;
  if (window.location.pathname === "/wall") return <Wall />;
  if (window.location.pathname === "/admin") return <><Admin /><Toasts /></>;
  return <Shell />;
}

function Starting() {
  return <main className="login"><div className="starting" role="status"><Logo size={52} /><p>{t("loading")}</p></div></main>;
}

/* A page and a server of different versions: the page is loaded anew, once for each version. */
function watchVersion(session: Session): void {
  let mine: string | null = null;
  const look = async () => {
    try {
      const head = await fetch("/app.js", { method: "HEAD", cache: "no-cache" });
      const etag = head.headers.get("ETag");
      if (!head.ok || !etag) return;
      mine ??= etag;
      if (etag === mine || sessionStorage.getItem("ctibus.version") === etag) return;
      sessionStorage.setItem("ctibus.version", etag);
      window.location.reload();
    } catch {
      /* the next connection looks again */
    }
  };
  look();
  let live = false;
  session.subscribe("session", () => {
    if (session.phase === "live" && !live) look();
    live = session.phase === "live";
  });
}

applyTheme(localStorage.getItem("ctibus.theme") ?? "auto");
setLanguage(initialLanguage(localStorage.getItem("ctibus.language")));
takeToken();
window.addEventListener("hashchange", () => takeToken() && window.location.reload());
const session = new Session(open, window.location.pathname === "/wall" && screenStore.get(TOKEN) ? screenStore : saved);
session.resume();
watchVersion(session);
document.addEventListener("visibilitychange", () => !document.hidden && session.connection.probe());
window.addEventListener("pagehide", () => session.connection.leave());
window.addEventListener("pageshow", (e) => e.persisted && session.connection.comeBack());
window.addEventListener("online", () => session.connection.probe());
(window as any).ctibus = session; // for a look from the console of the browser
createRoot(document.getElementById("app")!).render(
  <StrictMode><SessionContext.Provider value={session}><App /></SessionContext.Provider></StrictMode>,
);
