import { RoutingRule } from "#server/contract/index.ts";
import { type Sql, toJsonb } from "#server/database/index.ts";

/** In the order in which they were first added. */
export async function readRules(sql: Sql): Promise<readonly RoutingRule[]> {
  const rows = await sql.query<{ rule: unknown }>("select rule from parse3d.rules order by position");
  return rows.map(({ rule }) => RoutingRule.parse(rule));
}

export async function putRule(sql: Sql, rule: RoutingRule): Promise<void> {
  await sql.query(
    `insert into parse3d.rules (id, rule) values ($1, $2)
     on conflict (id) do update set rule = excluded.rule, updated_at = now()`,
    [rule.id, toJsonb(rule)],
  );
}

/** @returns the rule that was there */
export async function removeRule(sql: Sql, id: string): Promise<RoutingRule | undefined> {
  const [row] = await sql.query<{ rule: unknown }>("delete from parse3d.rules where id = $1 returning rule", [id]);
  return row && RoutingRule.parse(row.rule);
}
