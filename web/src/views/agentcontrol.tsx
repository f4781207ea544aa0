/* The own agent: logged in or not, paused with a reason. */
import { catalogues, t } from "../i18n";
import { agentState } from "../model";
import type { Session } from "../session";
import { useList, useSession } from "../ui/hooks";
import { Icon } from "../ui/icons";
import { Item, Menu, Timer } from "../ui/parts";

export const REASONS = ["lunch", "break", "training", "meeting", "paperwork"];

/* A reason as it is stored, the same whoever pauses in whatever language; and as it is shown. */
export function reasonStored(key: string): string {
  return catalogues.en["reason." + key];
}

export function reasonShown(stored: any): string {
  const key = REASONS.find((k) => reasonStored(k) === stored);
  return key ? t("reason." + key) : String(stored ?? "");
}

function ownMembers(session: Session) {
  const agent = session.myAgent();
  return agent ? session.store.all("queuemembers").filter((m) => m.ipbx === session.ipbx && m.interface === "Agent/" + agent.number) : [];
}

/* What an agent can do now. */
export function agentPanelItems(session: Session): Item[] {
  const agent = session.myAgent();
  if (!agent || !session.canCommand("agentlogin")) return [];
  const state = agentState(agent, ownMembers(session));
  const items: Item[] = [{ label: t("agent") + " " + agent.number }];
  if (state === "logged_out") return [...items, { label: t("agent.login"), icon: "agent", run: () => session.command("agentlogin", { agentids: "agent:" + agent.key }) }];
  if (session.canCommand("queuepause")) {
    if (state === "paused") items.push({ label: t("agent.unpause"), icon: "play", run: () => session.pause(null, null, false) });
    else for (const reason of REASONS) items.push({ label: t("agent.pause", { reason: t("reason." + reason) }), icon: "pause", run: () => session.pause(null, null, true, reasonStored(reason)) });
  }
  return [...items, { label: t("agent.logout"), icon: "out", run: () => session.command("agentlogout", { agentids: "agent:" + agent.key }) }];
}

export function AgentControl() {
  const session = useSession();
  useList("agents");
  useList("queuemembers");
  const agent = session.myAgent();
  if (!agent || !session.canCommand("agentlogin")) return null;
  const members = ownMembers(session);
  const state = agentState(agent, members);
  const reason = state === "paused" ? reasonShown(members.find((m) => m.reason)?.reason) : "";
  return (
    <Menu label={t("agent.menu")} className="agent-control" items={() => agentPanelItems(session)}>
      <span className={"chip agent-" + state}>
        <Icon name={state === "paused" ? "pause" : "agent"} size={16} />
        {reason || t("agent.state." + state)}
        <Timer since={Number(agent.availability_since ?? 0)} />
      </span>
    </Menu>
  );
}
