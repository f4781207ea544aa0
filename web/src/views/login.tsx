import { FormEvent, useState } from "react";
import { t } from "../i18n";
import { useSession, useTopic } from "../ui/hooks";
import { Logo } from "./logo";

export function Login() {
  const session = useSession();
  useTopic("session");
  const [user, setUser] = useState(localStorage.getItem("ctibus.user") ?? "");
  const [password, setPassword] = useState("");
  const [stay, setStay] = useState(true);
  const busy = session.phase === "connecting";
  const submit = (e: FormEvent) => {
    e.preventDefault();
    localStorage.setItem("ctibus.user", user.trim());
    session.login(user.trim(), password, stay);
  };
  return (
    <main className="login">
      <form className="login-box" onSubmit={submit} aria-labelledby="login-title">
        <Logo size={52} />
        <h1 id="login-title">{t("login.title")}</h1>
        {session.reason && <p className="login-error" role="alert">{reasonText(session.reason)}</p>}
        <label>{t("login.user")}
          <input name="user" autoComplete="username" autoCapitalize="none" spellCheck={false} required autoFocus={!user} value={user} onChange={(e) => setUser(e.target.value)} />
        </label>
        <label>{t("login.password")}
          <input name="password" type="password" autoComplete="current-password" required autoFocus={!!user} value={password} onChange={(e) => setPassword(e.target.value)} />
        </label>
        <label className="check"><input type="checkbox" checked={stay} onChange={(e) => setStay(e.target.checked)} />{t("login.stay")}</label>
        <button className="button primary wide" disabled={busy}>{busy ? t("login.busy") : t("login.submit")}</button>
        <button type="button" className="button plain wide" disabled={busy} onClick={() => session.loginByProxy()}>{t("login.sso")}</button>
      </form>
    </main>
  );
}

function reasonText(reason: string): string {
  const key = "login.error." + reason.split(":")[0];
  const text = t(key);
  return text !== key ? text : t("login.error.other", { reason });
}
