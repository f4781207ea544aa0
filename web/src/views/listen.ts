import { t } from "../i18n";
import type { Session } from "../session";
import type { Obj } from "../store";
import type { Item } from "../ui/parts";

/* Listening to an agent who talks. */
export function listenItems(session: Session, agent: Obj, talking: boolean): Item[] {
  const ways = ["listen", "whisper", "barge"] as const;
  return talking ? ways.filter((w) => session.canCommand(w)).map((w) => ({ label: t("listen." + w), icon: "ear", run: () => session.listen(agent, true, w) })) : [];
}
