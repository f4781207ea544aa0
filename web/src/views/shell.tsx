/* The frame around all views: top bar, navigation, own calls, chat. */
import { useEffect, useState } from "react";
import { t } from "../i18n";
import { useLamps, useList, useObject, useSession, useSetting, useTopic } from "../ui/hooks";
import { Icon, LampMark } from "../ui/icons";
import { Dialog, IconButton, Menu, Toasts } from "../ui/parts";
import { isNumber, truth } from "../model";
import { agentPanelItems, AgentControl } from "./agentcontrol";
import { Calls } from "./calls";
import { Chat } from "./chat";
import { Directory } from "./directory";
import { Faxes } from "./faxes";
import { History } from "./history";
import { Logo } from "./logo";
import { People } from "./people";
import { Queues } from "./queues";
import { Agents } from "./agents";
import { Rooms } from "./rooms";
import { Search } from "./search";
import { Settings } from "./settings";

interface Page {
  id: string;
  icon: string;
  draw: () => JSX.Element;
}

/* #people, #queues...; #chat=IPBX/ID */
function readHash(): [string, string] {
  const [id, arg] = window.location.hash.slice(1).split(/=(.*)/s);
  try {
    return [id, decodeURIComponent(arg ?? "")];
  } catch {
    return [id, ""]; // not a text that a link of ours has
  }
}

export function go(id: string, arg = ""): void {
  window.location.hash = arg ? `${id}=${encodeURIComponent(arg)}` : id;
}

export function useHash(): [string, string] {
  const [hash, set] = useState(readHash);
  useEffect(() => {
    const changed = () => set(readHash());
    window.addEventListener("hashchange", changed);
    return () => window.removeEventListener("hashchange", changed);
  }, []);
  return hash;
}

/* Which views there are for this user: what the company has and the profile permits. */
function usePages(): Page[] {
  const session = useSession();
  const queues = useList("queues").length;
  const agents = useList("agents").length;
  const rooms = useList("meetmes").length + useList("parkinglots").length;
  const all: (Page | false)[] = [
    { id: "people", icon: "people", draw: () => <People /> },
    queues > 0 && { id: "queues", icon: "queue", draw: () => <Queues /> },
    agents > 0 && { id: "agents", icon: "agent", draw: () => <Agents /> },
    rooms > 0 && { id: "rooms", icon: "room", draw: () => <Rooms /> },
    session.can("history") && { id: "history", icon: "history", draw: () => <History /> },
    (session.can("people_search") || session.can("directory")) && { id: "directory", icon: "book", draw: () => <Directory /> },
    session.can("chitchat") && { id: "chat", icon: "chat", draw: () => <Chat /> },
    session.can("faxsend") && { id: "faxes", icon: "fax", draw: () => <Faxes /> },
  ];
  return all.filter((p): p is Page => !!p);
}

export function Shell() {
  const session = useSession();
  const pages = usePages();
  const [hash, arg] = useHash();
  const page = pages.find((p) => p.id === hash) ?? pages[0];
  const [asked, setAsked] = useState(""); // a link of another page wants this number called
  useTopic("chat");
  useLamps();
  useEffect(() => {
    if (hash !== "dial" || !session.ready) return;
    if (isNumber(arg)) setAsked(arg);
    window.history.replaceState(null, "", "#people"); // Back does not ask again
    window.dispatchEvent(new HashChangeEvent("hashchange"));
  }, [hash, arg, session, session.ready]);
  useTitle();
  return (
    <div className={"shell" + (session.phase !== "live" || !session.stateUp ? " stale" : "")}>
      <header className="top">
        <a className="brand" href="#people" aria-label="ctibus"><Logo size={30} /></a>
        <Search />
        <Own />
      </header>
      {(session.phase !== "live" || !session.stateUp) && <div className="banner" role="alert">{t("reconnecting")}</div>}
      <nav className="rail" aria-label={t("nav")}>
        {pages.map((p) => (
          <a key={p.id} href={"#" + p.id} className={p === page ? "here" : ""} aria-current={p === page ? "page" : undefined}>
            <Icon name={p.icon} size={22} />
            <span>{t("nav." + p.id)}</span>
            {p.id === "chat" && session.totalUnread() > 0 && <b className="badge" aria-label={t("chat.unread", { n: session.totalUnread() })}>{session.totalUnread()}</b>}
          </a>
        ))}
      </nav>
      <main className="content">
        <Calls />
        {page.draw()}
      </main>
      <Toasts />
      {asked && (
        <Dialog title={t("dial.ask")} onClose={() => setAsked("")}>
          <p className="asked" dir="ltr">{asked.replace(/^(tel|sip):/i, "")}</p>
          <button type="button" className="button primary" autoFocus onClick={() => { session.dial(asked); setAsked(""); }}>{t("dial")}</button>
        </Dialog>
      )}
    </div>
  );
}

/* The title tells of a call and of unread chat, for a tab that is not in front. */
function useTitle(): void {
  const session = useSession();
  const n = session.totalUnread();
  const ringing = session.store.card(session.user)?.lamp === "ringing";
  useEffect(() => {
    document.title = (ringing ? "☎ " : "") + (n ? `(${n}) ` : "") + "ctibus";
  }, [n, ringing]);
}

/* Own presence, services and settings. */
function Own() {
  const session = useSession();
  const me = useObject("users", session.user);
  const [settings, setSettings] = useState(false);
  const [theme, setTheme] = useSetting("theme", "auto");
  const dark = theme === "dark" || (theme === "auto" && window.matchMedia("(prefers-color-scheme: dark)").matches);
  const other = dark ? "light" : "dark";
  useLamps();
  if (!me) return <div className="own" />;
  const presence = session.presence(String(me.availstate));
  const dnd = truth(me.enablednd);
  const forward = truth(me.enableunc) ? String(me.destunc ?? "") : "";
  const box = me.voicemailid != null ? session.ipbx + "/" + me.voicemailid : "";
  return (
    <div className="own">
      <AgentControl />
      {box && <MailboxButton box={box} />}
      {session.canService("enablednd") && (
        <IconButton icon="dnd" label={t(dnd ? "dnd.off" : "dnd.on")} kind={dnd ? "alarm" : "plain"} pressed={dnd} onClick={() => session.setService("enablednd", !dnd)} />
      )}
      {forward && <IconButton icon="forward" label={t("forward.to", { to: forward })} kind="alarm" onClick={() => setSettings(true)} />}
      <Menu label={t("own.menu")} className="me" items={() => [
        { label: t("presence") },
        ...session.presences().filter((p) => p.id !== "disconnected").map((p) => ({ label: p.name, checked: p.id === presence.id, run: () => session.setPresence(p.id) })),
        session.canService("enablednd") && { label: t(dnd ? "dnd.off" : "dnd.on"), icon: "dnd", run: () => session.setService("enablednd", !dnd) },
        !!box && session.canCommand("dial") && { label: t("voicemail.listen"), icon: "voicemail", run: () => { session.command("dial", { destination: "user:special:myvoicemail" }); } },
        ...agentPanelItems(session),
        { label: session.name() },
        { label: t("settings"), icon: "settings", run: () => setSettings(true) },
        { label: t("theme." + other), icon: "theme", run: () => { setTheme(other); applyTheme(other); } },
        session.can("admin_status") && { label: t("nav.admin"), icon: "admin", run: () => { window.location.href = "/admin"; } },
        session.store.count("queues") > 0 && { label: t("nav.wall"), icon: "wall", run: () => { window.open("/wall", "_blank"); } },
        { label: t("logout"), icon: "out", run: () => session.logout() },
        { label: t("logout.everywhere"), icon: "out", danger: true, run: () => session.logout(true) },
      ]}>
        <span className="me-face"><LampMark lamp={session.store.card(session.user)?.lamp ?? "none"} /></span>
        <span className="me-name">{session.name()}</span>
        <span className="presence"><i style={{ background: presence.color }} />{presence.name}</span>
      </Menu>
      {settings && <Settings onClose={() => setSettings(false)} />}
    </div>
  );
}

function MailboxButton({ box }: { box: string }) {
  const session = useSession();
  const mailbox = useObject("voicemails", box);
  const n = Number(mailbox?.new ?? 0);
  if (!mailbox) return null;
  return (
    <span className="with-badge">
      <IconButton icon="voicemail" label={t("voicemail.new", { n })} onClick={() => session.command("dial", { destination: "user:special:myvoicemail" })} />
      {n > 0 && <b className="badge">{n}</b>}
    </span>
  );
}

export function applyTheme(theme: string): void {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}
