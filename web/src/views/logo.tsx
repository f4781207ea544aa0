/* Two lines of a bus with two stations on each. */
export function Logo({ size }: { size: number }) {
  return (
    <svg className="logo" width={size} height={size} viewBox="0 0 64 64" aria-hidden="true">
      <rect width="64" height="64" rx="14" className="logo-ground" />
      <path d="M14 22h36M14 42h36" className="logo-bus" />
      <path d="M22 22v20M42 22v20" className="logo-link" />
      <circle cx="22" cy="22" r="6" className="logo-stop" />
      <circle cx="42" cy="42" r="6" className="logo-stop" />
    </svg>
  );
}
