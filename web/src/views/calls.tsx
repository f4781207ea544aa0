/* The own calls: cards with what can be done about each. */
import { FormEvent, useEffect, useRef, useState } from "react";
import { t } from "../i18n";
import { isNumber, matches, partyOf, stateOf, truth } from "../model";
import { notify, Sheet } from "../session";
import type { Obj } from "../store";
import { useMyChannels, useSession, useTopic } from "../ui/hooks";
import { Keypad } from "../ui/keypad";
import { Face, IconButton, Item, Menu, Timer } from "../ui/parts";

export function Calls() {
  const session = useSession();
  const channels = useMyChannels();
  const told = useRef(new Set<string>());
  useTopic("sheets");
  useEffect(() => {
    const now = new Set<string>();
    for (const c of channels)
      if (stateOf(c) === "ringing" && c.direction === "in" && !session.isOwnDial(c)) {
        const p = partyOf(c);
        now.add(c.key);
        if (!told.current.has(c.key)) notify(t("call.incoming"), [p.name, p.number].filter(Boolean).join(" · "), "call:" + c.key);
      }
    told.current = now;
  });
  useEffect(() => {
    const keys = (e: KeyboardEvent) => {
      if (!e.altKey || (e.key !== "Enter" && e.key !== "Backspace")) return;
      const ringing = channels.find((c) => stateOf(c) === "ringing" && c.direction === "in" && !session.isOwnDial(c));
      if (e.key === "Enter" && ringing) session.answer(ringing);
      else if (e.key === "Backspace" && ringing) session.refuse(ringing);
      else if (e.key === "Backspace" && channels[0]) session.hangup(session.currentCall() ?? channels[0]);
      else return;
      e.preventDefault();
    };
    document.addEventListener("keydown", keys);
    return () => document.removeEventListener("keydown", keys);
  });
  if (channels.length === 0) return null;
  return (
    <section className="calls" aria-label={t("calls.own")}>
      {channels.map((c) => <CallCard key={c.key} channel={c} />)}
    </section>
  );
}

function CallCard({ channel }: { channel: Obj }) {
  const session = useSession();
  const party = partyOf(channel);
  const state = stateOf(channel);
  const dialling = session.isOwnDial(channel);
  const ringing = state === "ringing" && channel.direction === "in" && !dialling;
  const talking = state === "up" || state === "hold";
  const consulting = talking && session.consulting === channel.key;
  const [transferring, setTransferring] = useState(false);
  const [keys, setKeys] = useState(false);
  const sheet = session.sheetOf(channel);
  const company = sheet?.fields.find((f) => /company|soci/i.test(f.name))?.value;
  const asked = dialling && session.dialled ? session.dialled.name || session.dialled.to : "";
  const title = asked || party.name || sheetName(sheet) || party.number || (channel.direction !== "in" && channel.exten ? session.placeOf(String(channel.exten)) : truth(channel.meetme_ismeetme) ? t("call.room") : t("call.unknown"));
  return (
    <article className={"call call-" + state} aria-label={title} aria-live={ringing ? "assertive" : "off"} onDragOver={(e) => { if (talking) e.preventDefault(); }}
      onDrop={(e) => { e.preventDefault(); const to = e.dataTransfer.getData("text/plain"); if (talking && to) session.transfer(to, channel); }}>
      <div className="call-main">
        <Face name={title} size={46} />
        <div className="call-who">
          <strong dir="auto">{title}</strong>
          <span className="call-number">{title !== party.number ? party.number : ""}{company && <span dir="auto"> · {company}</span>}{channel.queue && <span className="chip small">{session.queueLabel(channel.queue)}</span>}</span>
          <span className="call-state">{t("call.state." + (dialling ? "pickup" : state === "ringing" && channel.direction === "out" ? "calling" : state))} <Timer since={Number(channel.timestamp ?? 0)} />
            {truth(channel.monitored) && <span className="recording"> ● {t("call.recording")}</span>}
            {truth(channel.spy) && <span className="recording"> ◉ {t("call.listened")}</span>}</span>
        </div>
        <div className="call-buttons">
          {ringing && session.canCommand("answer") && <IconButton icon="phone" label={t("answer")} kind="good" text onClick={() => session.answer(channel)} />}
          {ringing && session.canCommand("refuse") && <IconButton icon="hangup" label={t("refuse")} kind="bad" text onClick={() => session.refuse(channel)} />}
          {talking && !consulting && session.canCommand("transfer") && <IconButton icon="transfer" label={t("transfer")} pressed={transferring} text onClick={() => setTransferring(!transferring)} />}
          {talking && session.canCommand("dtmf") && <IconButton icon="keypad" label={t("keypad")} pressed={keys} onClick={() => setKeys(!keys)} />}
          {consulting && session.can("complete_transfer") && <IconButton icon="check" label={t("transfer.complete")} kind="good" text onClick={() => session.completeTransfer()} />}
          {consulting && session.canCommand("transfercancel") && <IconButton icon="close" label={t("transfer.cancel")} text onClick={() => session.cancelTransfer()} />}
          {!ringing && session.canCommand("hangup") && <IconButton icon="hangup" label={t("hangup")} kind="bad" text onClick={() => session.hangup(channel)} />}
          {talking && <Menu label={t("more")} items={() => callItems(session, channel)} />}
        </div>
      </div>
      {transferring && talking && <TransferBox channel={channel} onDone={() => setTransferring(false)} />}
      {keys && talking && <Keypad onKey={(key) => session.dtmf(channel, key)} onClose={() => setKeys(false)} />}
      {sheet && sheet.fields.length > 0 && <SheetFields fields={sheet.fields} />}
    </article>
  );
}

/* Who it is, as a directory knows the caller. */
function sheetName(sheet: Sheet | undefined): string {
  const value = sheet?.fields.find((f) => f.type === "title" || /directory|annuaire/i.test(f.name))?.value ?? "";
  return /^(unknown|[+0-9 ]*)$/i.test(value) ? "" : value;
}

function callItems(session: ReturnType<typeof useSession>, channel: Obj): (Item | false)[] {
  const on = truth(channel.monitored);
  const held = stateOf(channel) === "hold";
  return [
    session.canCommand("sipnotify") && { label: t(held ? "resume" : "hold"), icon: held ? "play" : "hold", run: () => session.hold(channel, !held) },
    session.canCommand("parking") && { label: t("park"), icon: "park", run: () => session.park(channel) },
    session.canCommand("record") && { label: t(on ? "record.stop" : "record.start"), icon: "record", run: () => session.record(channel, !on) },
    session.store.all("voicemails").length > 0 && session.canCommand("transfer") && !!session.me()?.voicemailid &&
      { label: t("transfer.myvoicemail"), icon: "voicemail", run: () => session.transfer(`voicemail:${session.ipbx}/${session.me()!.voicemailid}`, channel) },
  ];
}

function TransferBox({ channel, onDone }: { channel: Obj; onDone: () => void }) {
  const session = useSession();
  const [to, setTo] = useState("");
  const found = to.trim() ? session.store.all("users").map((u) => session.store.card(u.key)).filter((c) => c && c.number && c.key !== session.user) : [];
  const matching = found.filter((c) => matches(c!, to)).slice(0, 5);
  /* A number, or the one colleague of this name: a transfer to anything else would lose the caller. */
  const act = (how: (to: string) => void) => {
    const number = isNumber(to) ? to : matching.length === 1 ? matching[0]!.number : "";
    if (!number) return session.toast(t(matching.length ? "transfer.several" : "search.none"), true);
    how(number);
    onDone();
  };
  const submit = (e: FormEvent) => {
    e.preventDefault();
    act((number) => session.transfer(number, channel));
  };
  return (
    <form className="transfer" onSubmit={submit}>
      <input autoFocus value={to} onChange={(e) => setTo(e.target.value)} placeholder={t("transfer.to")} aria-label={t("transfer.to")} list={"transfer-" + channel.key}
        onKeyDown={(e) => { if (e.key === "Escape") onDone(); }} />
      <datalist id={"transfer-" + channel.key}>{matching.map((c) => <option key={c!.key} value={c!.number}>{c!.name}</option>)}</datalist>
      <button className="button primary" disabled={!to.trim()}>{t("transfer.blind")}</button>
      {session.canCommand("atxfer") && <button type="button" className="button plain" disabled={!to.trim()} onClick={() => act((number) => session.consult(number, channel))}>{t("transfer.consult")}</button>}
    </form>
  );
}

function SheetFields({ fields }: { fields: { name: string; type: string; value: string }[] }) {
  return (
    <dl className="sheet">
      {fields.map((f, i) => (
        <div key={i}><dt>{f.name}</dt><dd dir="auto">{isLink(f.value) ? <a href={f.value} target="_blank" rel="noopener noreferrer">{f.value}</a> : f.value}</dd></div>
      ))}
    </dl>
  );
}

/* Only what a browser opens as a page: no javascript: from a caller's name. */
function isLink(value: string): boolean {
  return /^https?:\/\//i.test(value);
}
