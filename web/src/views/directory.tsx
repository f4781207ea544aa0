/* Directories: everybody who can be looked up, favorites, and the own contacts. */
import { FormEvent, useCallback, useEffect, useRef, useState } from "react";
import { t } from "../i18n";
import { mailLink } from "../model";
import { useSession } from "../ui/hooks";
import { Dialog, Empty, Face, IconButton, Item, Menu } from "../ui/parts";
import { Person, readPeople } from "./people_rows";
import { go } from "./shell";

type Tab = "search" | "favorites" | "personal";
const FIELDS = ["firstname", "lastname", "number", "mobile", "company", "email"];

export function Directory() {
  const session = useSession();
  const [tab, setTab] = useState<Tab>("search");
  const [text, setText] = useState("");
  const [people, setPeople] = useState<Person[] | null>(null);
  const [editing, setEditing] = useState<{ person?: Person; fields: Record<string, string> } | null>(null);
  const file = useRef<HTMLInputElement>(null);
  const load = useCallback(() => {
    const ask = tab === "favorites" ? session.connection.ask("people_favorites") : tab === "personal" ? session.connection.ask("people_personal_contacts")
      : text.trim() ? session.connection.ask("people_search", { pattern: text.trim() }) : null;
    if (!ask) return setPeople(null);
    ask.then((m) => setPeople(readPeople(m)), () => setPeople([]));
  }, [session, tab, text]);
  useEffect(() => {
    const timer = setTimeout(load, tab === "search" ? 250 : 0);
    return () => clearTimeout(timer);
  }, [load, tab]);
  const edit = (person: Person) => session.send("people_personal_contact_raw", { source: person.source, source_entry_id: person.id })
    .then((m) => m && setEditing({ person, fields: Object.fromEntries(Object.entries<any>(m.contact_infos ?? {}).map(([k, v]) => [k, String(v)])) }));
  const take = async (f: File | undefined) => {
    if (!f) return;
    const m = await session.send("people_import_personal_contacts_csv", { csv_contacts: await f.text() });
    if (m) session.toast(t("contacts.imported", { n: Number(m.created_count ?? 0), bad: m.failed?.length ?? 0 }), (m.failed?.length ?? 0) > 0);
    load();
  };
  const give = async () => {
    const m = await session.send("people_export_personal_contacts_csv");
    if (!m) return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([String(m.csv_contacts ?? "")], { type: "text/csv" }));
    link.download = "contacts.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };
  const wanted = tab === "search" ? people : people?.filter((p) => (p.name + p.numbers.join()).toLowerCase().includes(text.toLowerCase()));
  return (
    <section className="view directory">
      <div className="bar"><h1>{t("nav.directory")}</h1>
        <input className="filter" type="search" autoFocus value={text} onChange={(e) => setText(e.target.value)} placeholder={t("directory.search")} aria-label={t("directory.search")} />
        <div className="tabs" role="group" aria-label={t("people.show")}>
          {(["search", "favorites", "personal"] as Tab[]).map((x) => <button type="button" key={x} aria-pressed={tab === x} onClick={() => { setTab(x); setPeople(null); }}>{t("directory." + x)}</button>)}
        </div>
        {session.can("people_create_personal_contact") && <IconButton icon="plus" label={t("contacts.add")} onClick={() => setEditing({ fields: {} })} />}
        {session.can("people_import_personal_contacts_csv") && <>
          <IconButton icon="import" label={t("contacts.import")} onClick={() => file.current?.click()} />
          <input ref={file} type="file" accept=".csv,text/csv" hidden onChange={(e) => { take(e.target.files?.[0]); e.target.value = ""; }} />
          <IconButton icon="export" label={t("contacts.export")} onClick={give} />
        </>}
      </div>
      {!wanted ? <Empty icon="book" text={t("directory.hint")} /> : wanted.length === 0 ? <Empty icon="book" text={t("people.nomatch")} /> : (
        <ul className="rows scroll">
          {wanted.map((p) => (
            <li key={p.source + "/" + p.id} className="row">
              <Face name={p.name} lamp={p.user ? session.store.card(p.user)?.lamp : undefined} size={36} />
              <span className="row-name" dir="auto">{p.name}<small>{[p.numbers.join(", "), p.detail].filter(Boolean).join(" · ")}</small></span>
              {session.can("people_set_favorite") && <IconButton icon="star" kind={p.favorite ? "starred-button" : "plain"} pressed={p.favorite} label={t(p.favorite ? "favorite.remove" : "favorite.add")}
                onClick={() => session.send("people_set_favorite", { source: p.source, source_entry_id: p.id, favorite: !p.favorite }).then(load)} />}
              {p.numbers[0] && session.canCommand("dial") && <IconButton icon="phone" kind="dial" label={t("dial.name", { name: p.name || p.numbers[0] })} onClick={() => session.dial(p.numbers[0])} />}
              <Menu label={t("menu.of", { name: p.name })} items={() => rowItems(session, p, () => edit(p), load)} />
            </li>
          ))}
        </ul>
      )}
      {editing && <ContactForm {...editing} onClose={() => setEditing(null)} onSaved={() => { setEditing(null); setText(""); setTab("personal"); load(); }} />}
    </section>
  );
}

function rowItems(session: ReturnType<typeof useSession>, p: Person, edit: () => void, load: () => void): (Item | false)[] {
  const call = session.currentCall();
  const mail = mailLink(p.email || (session.store.card(p.user)?.email ?? ""));
  return [
    ...p.numbers.map((n) => ({ label: `${t("dial")} ${n}`, icon: "phone", run: () => session.dial(n) })),
    ...(call ? p.numbers.map((n) => ({ label: `${t("transfer")} → ${n}`, icon: "transfer", run: () => session.transfer(n, call) })) : []),
    !!mail && { label: t("mail"), icon: "mail", href: mail },
    !!p.user && session.can("chitchat") && { label: t("chat.with", { name: p.name }), icon: "chat", run: () => go("chat", p.user) },
    p.personal && { label: t("contacts.edit"), icon: "edit", run: edit },
    p.personal && { label: t("contacts.delete"), icon: "trash", danger: true, run: () => { session.send("people_delete_personal_contact", { source: p.source, source_entry_id: p.id }).then(load); } },
  ];
}

function ContactForm({ person, fields, onClose, onSaved }: { person?: Person; fields: Record<string, string>; onClose: () => void; onSaved: () => void }) {
  const session = useSession();
  const [values, set] = useState(fields);
  const names = [...FIELDS, ...Object.keys(fields).filter((k) => !FIELDS.includes(k) && k !== "id")];
  const submit = async (e: FormEvent) => {
    e.preventDefault();
    const infos = Object.fromEntries(Object.entries(values).filter(([, v]) => v.trim() !== ""));
    const done = person ? await session.send("people_edit_personal_contact", { source: person.source, source_entry_id: person.id, contact_infos: infos })
      : await session.send("people_create_personal_contact", { contact_infos: infos });
    if (done) onSaved();
  };
  return (
    <Dialog title={t(person ? "contacts.edit" : "contacts.add")} onClose={onClose}>
      <form className="form" onSubmit={submit}>
        {names.map((n, i) => (
          <label key={n}>{t("contact." + n) !== "contact." + n ? t("contact." + n) : n}
            <input autoFocus={i === 0} value={values[n] ?? ""} maxLength={1000} onChange={(e) => set({ ...values, [n]: e.target.value })} /></label>
        ))}
        <button className="button primary" disabled={!Object.values(values).some((v) => v.trim())}>{t("save")}</button>
      </form>
    </Dialog>
  );
}
