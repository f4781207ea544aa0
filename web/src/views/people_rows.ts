/* Rows of people_search and its relatives, whatever columns the administrator has configured. */
import type { Message } from "../protocol";

export interface Person {
  id: string;
  source: string;
  name: string;
  numbers: string[];
  email: string;
  detail: string; // the other columns
  favorite: boolean;
  personal: boolean;
  user: string; // key of the colleague, or empty
}

export function readPeople(m: Message): Person[] {
  const types: (string | null)[] = m.column_types ?? [];
  return (m.results ?? []).map((row: any) => {
    const values: any[] = row.column_values ?? [];
    const of = (type: string) => values.filter((v, i) => (types[i] ?? "").split("_")[0] === type && v != null && v !== "");
    const plain = values.filter((v, i) => types[i] == null && typeof v === "string" && v);
    const relations = row.relations ?? {};
    return {
      id: String(relations.source_entry_id ?? ""),
      source: String(row.source ?? ""),
      name: String(of("name")[0] ?? ""),
      numbers: [...new Set([...of("number"), ...of("callable")].map(String))],
      email: String(of("email")[0] ?? ""),
      detail: plain.join(" · "),
      favorite: of("favorite")[0] === true,
      personal: of("personal")[0] === true,
      user: relations.user_id != null && relations.xivo_id ? `${relations.xivo_id}/${relations.user_id}` : "",
    };
  });
}
