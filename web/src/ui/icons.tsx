/* Icons as inline SVG: drawn in the colour of the text. */
const PATHS: Record<string, string> = {
  phone: "M6.5 3.5 9 8 7 10c1.4 2.8 3.2 4.6 6 6l2-2 4.5 2.500v3c0 1-.8 1.5-1.7 1.400C10.3 20.2 3.8 13.7 3.1 6.2 3 5.3 3.5 4.5 4.5 4.500z",
  hangup: "M3 14.500c5-5 13-5 18 0l-2.5 3-3.5-1.500v-2.500c-2-.7-4-.7-6 0V16l-3.5 1.500z",
  transfer: "M4 12h14M13 6l6 6-6 6",
  consult: "M4 9h12M12 5l4 4-4 4M20 15H8M12 11l-4 4 4 4",
  hold: "M9 5v14M15 5v14",
  park: "M8 20V5h5a4 4 0 0 1 0 8H8",
  record: "M12 12m-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0",
  chat: "M4 5h16v11H9l-5 4z",
  mail: "M3 6h18v12H3zM3 7l9 6 9-6",
  mobile: "M8 3h8v18H8zM11 18h2",
  people: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c0-4 3-6 6.5-6s6.5 2 6.5 6M16 4.500a3.5 3.5 0 0 1 0 6.500M18 14.500c2 .8 3.5 2.5 3.5 5.5",
  queue: "M4 6h16M4 12h16M4 18h10",
  agent: "M5 13a7 7 0 0 1 14 0M4 13h3v5H4zM17 13h3v5h-3zM18.5 18c0 2-2 3-5 3",
  room: "M12 4a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM5 10a2.5 2.5 0 1 0 0 5M19 10a2.5 2.5 0 1 1 0 5M7 20c0-4 2-6 5-6s5 2 5 6",
  history: "M12 4a8 8 0 1 1-7.5 5M4 4v5h5M12 8v4l3 2",
  book: "M5 4h12a2 2 0 0 1 2 2v14H7a2 2 0 0 1-2-2zM9 4v16M13 9h3",
  fax: "M6 9V3h9l3 3v3M4 9h16v9H4zM7 13h3M7 16h3M14 13h3",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5 21 21",
  bell: "M6 17V11a6 6 0 0 1 12 0v6l2 1H4zM10 21h4",
  dnd: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM7 12h10",
  forward: "M4 17v-4a4 4 0 0 1 4-4h11M15 5l4 4-4 4",
  more: "M12 5.500v.01M12 12v.01M12 18.500v.01",
  close: "M6 6l12 12M18 6 6 18",
  check: "M5 12.500l4.5 4.500L19 7",
  star: "M12 4l2.4 5 5.6.700-4 3.9 1 5.4-5-2.7-5 2.7 1-5.4-4-3.9 5.6-.700z",
  plus: "M12 5v14M5 12h14",
  pause: "M9 6v12M15 6v12",
  play: "M8 5l11 7-11 7z",
  mic: "M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3zM6 11a6 6 0 0 0 12 0M12 17v4",
  micoff: "M9 9v2a3 3 0 0 0 5 2M15 10V6a3 3 0 0 0-5.5-1.700M6 11a6 6 0 0 0 9 5M12 17v4M4 4l16 16",
  ear: "M7 9a5 5 0 0 1 10 0c0 4-4 4-4 8a3 3 0 0 1-5.5 1.500M10 9a2 2 0 0 1 4 0",
  grid: "M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z",
  list: "M8 6h12M8 12h12M8 18h12M4 6v.01M4 12v.01M4 18v.01",
  theme: "M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M15 7m-2 0a2 2 0 1 0 4 0a2 2 0 1 0-4 0M9 17m-2 0a2 2 0 1 0 4 0a2 2 0 1 0-4 0",
  out: "M10 4H5v16h5M14 8l4 4-4 4M18 12H9",
  lock: "M6 11h12v9H6zM8 11V8a4 4 0 0 1 8 0v3",
  voicemail: "M7 9a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM17 9a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM7 16h10",
  keypad: "M6 5v.01M12 5v.01M18 5v.01M6 11v.01M12 11v.01M18 11v.01M6 17v.01M12 17v.01M18 17v.01",
  wall: "M3 5h18v12H3zM9 21h6M7 13v-3M12 13V8M17 13v-2",
  incoming: "M18 6 7 17M7 9v8h8",
  outgoing: "M6 18 17 7M9 7h8v8",
  missed: "M4 8l8 7 8-7M4 8v5M4 8h5",
  trash: "M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13",
  edit: "M5 19l1-4L16 5l3 3L9 18z",
  import: "M12 4v11M7 10l5 5 5-5M4 20h16",
  export: "M12 15V4M7 9l5-5 5 5M4 20h16",
  admin: "M12 3l8 3v6c0 5-4 8-8 9-4-1-8-4-8-9V6zM9 12l2 2 4-4",
};

export function Icon({ name, size = 18 }: { name: string; size?: number }) {
  const filled = name === "record" || name === "play";
  return (
    <svg className="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false"
      fill={filled ? "currentColor" : "none"} stroke="currentColor" strokeWidth={name === "more" || name === "keypad" ? 3 : 1.8}
      strokeLinecap="round" strokeLinejoin="round">
      <path d={PATHS[name] ?? ""} />
    </svg>
  );
}

/* A lamp says how a line is by its colour and by its shape. */
export function LampMark({ lamp, size = 14 }: { lamp: string; size?: number }) {
  const shape = {
    idle: <circle cx="8" cy="8" r="6.5" />,
    ringing: <path d="M8 1l7 13H1z" />,
    busy: <rect x="1.5" y="1.5" width="13" height="13" rx="2.5" />,
    hold: <path d="M2.5 1.500h4v13h-4zM9.5 1.500h4v13h-4z" />,
    offline: <circle cx="8" cy="8" r="5.5" className="hollow" />,
    none: <path d="M3 7h10v2H3z" />,
  }[lamp];
  return (
    <svg className={"lamp lamp-" + lamp} width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      {shape}
    </svg>
  );
}
