/* A fax: a PDF and a number. */
import { FormEvent, useEffect, useState } from "react";
import { t } from "../i18n";
import { useSession } from "../ui/hooks";

const MOST = 180 * 1024; // bytes: in base64 it must fit a message of ctibus.cti.max_line

interface Sent {
  name: string;
  to: string;
  state: string;
}

async function base64(file: File): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
  return btoa(text);
}

export function Faxes() {
  const session = useSession();
  const [to, setTo] = useState("");
  const [file, setFile] = useState<File | null>(null);
  const [sent, setSent] = useState<Record<string, Sent>>({});
  const [busy, setBusy] = useState(false);
  useEffect(() => session.onFax((id, state) => setSent((all) => (all[id] ? { ...all, [id]: { ...all[id], state } } : all))), [session]);
  const submit = async (e: FormEvent) => {
    e.preventDefault();
    if (!file) return;
    if (file.size > MOST) return session.toast(t("fax.toobig", { kb: MOST / 1024 }), true);
    setBusy(true);
    const m = await session.send("faxsend", { destination: to, filename: file.name, hide: "0", data: await base64(file) });
    setBusy(false);
    if (m?.fileid) setSent((all) => ({ [m.fileid]: { name: file.name, to, state: "queued" }, ...all }));
  };
  return (
    <section className="view faxes">
      <div className="bar"><h1>{t("nav.faxes")}</h1></div>
      <form className="panel form" onSubmit={submit}>
        <label>{t("fax.number")}<input required inputMode="tel" value={to} onChange={(e) => setTo(e.target.value)} /></label>
        <label>{t("fax.file")}<input required type="file" accept="application/pdf,.pdf" onChange={(e) => setFile(e.target.files?.[0] ?? null)} /></label>
        <button className="button primary" disabled={busy || !file || !to.trim()}>{t("fax.send")}</button>
      </form>
      <ul className="rows">
        {Object.entries(sent).map(([id, s]) => <li key={id} className="row"><span className="row-name" dir="auto">{s.name}<small>{s.to}</small></span><span className="chip">{t("fax.state." + s.state)}</span></li>)}
      </ul>
    </section>
  );
}
