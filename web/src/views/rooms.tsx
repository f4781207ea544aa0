/* Conference rooms and parking lots. */
import { t } from "../i18n";
import { truth } from "../model";
import type { Obj } from "../store";
import { useList, useSession } from "../ui/hooks";
import { Empty, Face, IconButton, Timer } from "../ui/parts";

export function Rooms() {
  const rooms = useList("meetmes");
  const lots = useList("parkinglots");
  useList("channels");
  if (rooms.length + lots.length === 0) return <Empty icon="room" text={t("rooms.none")} />;
  return (
    <section className="view rooms">
      <div className="bar"><h1>{t("nav.rooms")}</h1></div>
      <div className="panels">
        {rooms.map((r) => <Room key={r.key} room={r} />)}
        {lots.map((l) => <Lot key={l.key} lot={l} />)}
      </div>
    </section>
  );
}

function Room({ room }: { room: Obj }) {
  const session = useSession();
  const places = Object.entries<any>(room.channels ?? {});
  const does = (fn: string, ...args: any[]) => session.command("meetme", { function: fn, functionargs: [room.confno, ...args].map(String) });
  const moderates = session.canCommand("meetme");
  return (
    <div className="panel">
      <h2 dir="auto">{String(room.name || room.confno)} <small>{room.confno} · {t("room.people", { n: places.length })}</small>
        {session.canCommand("dial") && <IconButton icon="phone" kind="good" label={t("room.join")} onClick={() => session.command("dial", { destination: "meetme:" + room.key })} />}
        {moderates && places.length > 0 && <IconButton icon="record" label={t("record.start")} onClick={() => does("record", "start")} />}
        {moderates && places.length > 0 && <IconButton icon="pause" label={t("record.stop")} onClick={() => does("record", "stop")} />}
      </h2>
      {places.length === 0 ? <p className="hint">{t("room.empty")}</p> : (
        <ul className="rows">
          {places.map(([id, place]) => {
            const c = session.store.get("channels", room.ipbx + "/" + id);
            const name = String(c?.callerid_name || c?.thisdisplay || c?.callerid_num || id);
            const muted = truth(place.ismuted);
            return (
              <li key={id} className="row">
                <Face name={name} size={32} />
                <span className="row-name" dir="auto">{name}<small>{c?.callerid_num ?? ""}{truth(place.isadmin) ? ` · ${t("room.admin")}` : ""} <Timer since={Number(c?.timestamp ?? 0)} /></small></span>
                {moderates && <IconButton icon={muted ? "micoff" : "mic"} label={t(muted ? "room.unmute" : "room.mute")} pressed={muted} onClick={() => does(muted ? "MeetmeUnmute" : "MeetmeMute", place.usernum, place.usernum)} />}
                {moderates && <IconButton icon="hangup" kind="bad" label={t("room.kick")} onClick={() => does("MeetmeKick", place.usernum, place.usernum)} />}
              </li>
            );
          })}
        </ul>
      )}
    </div>
  );
}

function Lot({ lot }: { lot: Obj }) {
  const session = useSession();
  const bays = Object.entries<any>(lot).filter(([, b]) => b?.parked); // a free one is {}
  return (
    <div className="panel">
      <h2 dir="auto">{t("parking")} {String(lot.description || lot.name || "")} <small>{lot.extension} · {bays.length}</small></h2>
      {bays.length === 0 ? <p className="hint">{t("parking.empty")}</p> : (
        <ul className="rows">
          {bays.map(([bay, b]) => (
            <li key={bay} className="row">
              <b className="place">{b.exten ?? bay}</b>
              <span className="row-name" dir="auto">{String(b.cid_name || b.cid_num || b.parked || "")}<small>{b.cid_name ? b.cid_num : ""} <Timer since={Number(b.parktime ?? 0)} /></small></span>
              {session.canCommand("dial") && <IconButton icon="phone" kind="good" label={t("parking.take")} onClick={() => session.dial(String(b.exten ?? bay))} />}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
