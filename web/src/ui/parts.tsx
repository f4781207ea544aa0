/* What several views are made of. */
import { ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";
import { t } from "../i18n";
import { duration, initials } from "../model";
import { useDismiss, useSeconds, useSession, useTopic } from "./hooks";
import { Icon, LampMark } from "./icons";

/* A button with an icon; its name is read aloud and shown as a tip. */
export function IconButton(props: {
  icon: string; label: string; onClick: () => void; kind?: string; pressed?: boolean; disabled?: boolean; text?: boolean;
}) {
  return (
    <button type="button" className={"button " + (props.kind ?? "plain")} title={props.text ? undefined : props.label}
      aria-label={props.text ? undefined : props.label} aria-pressed={props.pressed} disabled={props.disabled}
      onClick={(e) => { e.stopPropagation(); props.onClick(); }}>
      <Icon name={props.icon} />
      {props.text && <span>{props.label}</span>}
    </button>
  );
}

/* A face: two letters on a colour of the name's own. */
export function Face({ name, lamp, size = 36 }: { name: string; lamp?: string; size?: number }) {
  let hash = 0;
  for (const c of name) hash = (hash * 31 + c.codePointAt(0)!) % 8;
  return (
    <span className={"face face-" + hash} style={{ width: size, height: size, fontSize: size * 0.38 }} aria-hidden="true">
      {initials(name)}
      {lamp && <span className="face-lamp"><LampMark lamp={lamp} size={Math.max(12, size * 0.38)} /></span>}
    </span>
  );
}

/* How long since, by the server's clock. */
export function Timer({ since, limit }: { since: number; limit?: number }) {
  const session = useSession();
  useSeconds(since > 0);
  if (!since) return null;
  const seconds = session.now() - since;
  return <span className={"timer" + (limit && seconds > limit ? " late" : "")}>{duration(seconds)}</span>;
}

export interface Item {
  label: string;
  icon?: string;
  run?: () => void; // neither this nor href: a heading
  href?: string; // a link instead
  danger?: boolean;
  checked?: boolean;
}

/* A menu that opens from a button, driven by mouse or keys. */
export function Menu(props: { items: () => (Item | false | null | undefined | "")[]; label: string; icon?: string; children?: ReactNode; className?: string }) {
  const [open, setOpen] = useState(false);
  const ref = useRef<HTMLDivElement>(null);
  useDismiss(ref, () => {
    setOpen(false);
    if (ref.current?.contains(document.activeElement)) ref.current.querySelector<HTMLElement>("button")?.focus();
  }, open);
  const items = open ? props.items().filter((i): i is Item => !!i) : [];

  useEffect(() => {
    if (open) ref.current?.querySelector<HTMLElement>("[role^=menuitem]")?.focus();
  }, [open]);
  const move = (e: React.KeyboardEvent) => {
    const all = [...(ref.current?.querySelectorAll<HTMLElement>("[role^=menuitem]") ?? [])];
    const at = all.indexOf(document.activeElement as HTMLElement);
    const step = e.key === "ArrowDown" ? 1 : e.key === "ArrowUp" ? -1 : 0;
    if (!step || all.length === 0) return;
    e.preventDefault();
    e.stopPropagation();
    all[(at + step + all.length) % all.length].focus();
  };
  return (
    <div className={"menu " + (props.className ?? "")} ref={ref} onKeyDown={open ? move : undefined}>
      <button type="button" className={props.children ? "menu-opener" : "button plain"} aria-haspopup="menu" aria-expanded={open}
        aria-label={props.label} title={props.children ? undefined : props.label}
        onClick={(e) => { e.stopPropagation(); setOpen(!open); }}>
        {props.children ?? <Icon name={props.icon ?? "more"} />}
      </button>
      {open && (
        <Floating anchor={ref}>
          <div className="menu-list" role="menu" aria-label={props.label}>
            {items.map((item, i) => item.href ? (
              <a key={i} role="menuitem" tabIndex={-1} href={item.href} onClick={(e) => { e.stopPropagation(); setOpen(false); }}>
                {item.icon ? <Icon name={item.icon} size={16} /> : <span className="icon-space" />}
                <span>{item.label}</span>
              </a>
            ) : item.run ? (
              <button type="button" key={i} role={item.checked === undefined ? "menuitem" : "menuitemradio"} aria-checked={item.checked} tabIndex={-1}
                className={item.danger ? "danger" : ""}
                onClick={(e) => { e.stopPropagation(); setOpen(false); item.run!(); }}>
                {item.icon ? <Icon name={item.icon} size={16} /> : <span className="icon-space" />}
                <span>{item.label}</span>
                {item.checked && <Icon name="check" size={16} />}
              </button>
            ) : <div key={i} className="menu-head" role="presentation">{item.label}</div>)}
          </div>
        </Floating>
      )}
    </div>
  );
}

/* Beside its anchor, inside the window. */
function Floating({ anchor, children }: { anchor: { current: HTMLElement | null }; children: ReactNode }) {
  const ref = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const box = anchor.current!.getBoundingClientRect();
    const own = ref.current!;
    const width = own.offsetWidth;
    const height = own.offsetHeight;
    const left = Math.max(8, Math.min(box.right - width, window.innerWidth - width - 8));
    const below = box.bottom + 4;
    own.style.left = (box.left + width < window.innerWidth - 8 && box.right - width < 8 ? box.left : left) + "px";
    own.style.top = Math.max(8, below + height > window.innerHeight - 8 ? box.top - height - 4 : below) + "px";
  });
  return <div className="floating" ref={ref}>{children}</div>;
}

/* A window over the page. */
export function Dialog(props: { title: string; onClose: () => void; children: ReactNode }) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    ref.current?.showModal();
  }, []);
  return (
    <dialog ref={ref} aria-label={props.title} onClose={props.onClose}
      onClick={(e) => { if (e.target === ref.current) ref.current!.close(); }}>
      <div className="dialog">
        <header><h2>{props.title}</h2><IconButton icon="close" label={t("close")} onClick={() => ref.current?.close()} /></header>
        {props.children}
      </div>
    </dialog>
  );
}

export function Toasts() {
  const session = useSession();
  useTopic("toasts");
  return (
    <div className="toasts" role="status" aria-live="polite">
      {session.toasts.map((x) => <div key={x.id} className={"toast" + (x.bad ? " bad" : "")}>{x.text}</div>)}
    </div>
  );
}

export function Empty({ icon, text, hint }: { icon: string; text: string; hint?: string }) {
  return <div className="empty"><Icon name={icon} size={40} /><p>{text}</p>{hint && <p className="hint">{hint}</p>}</div>;
}

/*
 * A grid of which only what is seen is drawn: rows of equal height, as many columns as fit. It
 * scrolls with its own box.
 */
export function VirtualGrid<T>(props: {
  items: T[]; rowHeight: number; minWidth: number; gap: number; render: (item: T, index: number) => ReactNode; id: (item: T) => string; label: string;
}) {
  const ref = useRef<HTMLDivElement>(null);
  const [box, setBox] = useState({ width: 800, height: 600 });
  const [top, setTop] = useState(0);
  useLayoutEffect(() => {
    const el = ref.current!;
    const observer = new ResizeObserver(() => setBox({ width: el.clientWidth, height: el.clientHeight }));
    observer.observe(el);
    return () => observer.disconnect();
  }, []);
  const columns = Math.max(1, Math.floor((box.width + props.gap) / (props.minWidth + props.gap)));
  const step = props.rowHeight + props.gap;
  const rows = Math.ceil(props.items.length / columns);
  const first = Math.max(0, Math.floor(top / step) - 2);
  const last = Math.min(rows, Math.ceil((top + box.height) / step) + 2);
  const shown = props.items.slice(first * columns, last * columns);
  return (
    <div className="virtual" ref={ref} onScroll={(e) => setTop(e.currentTarget.scrollTop)} role="list" aria-label={props.label} tabIndex={-1}>
      <div style={{ height: Math.max(0, rows * step - props.gap), position: "relative" }}>
        <div className="virtual-window" style={{ top: first * step, gap: props.gap, gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`, gridAutoRows: props.rowHeight }}>
          {shown.map((item, i) => <div role="listitem" key={props.id(item)} aria-setsize={props.items.length} aria-posinset={first * columns + i + 1}>{props.render(item, first * columns + i)}</div>)}
        </div>
      </div>
    </div>
  );
}
