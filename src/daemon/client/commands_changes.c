/* SPDX-License-Identifier: Apache-2.0
 * Commands that consist of one /api/v1 change: each row has the call and the message on success. Their
 * parameters are declared with related commands. */
#include "daemon/client/ask.h"
#include "daemon/command.h"

enum { CARRIED_MAX = 20 };

/* In paths and messages, "{name}" is replaced by the parameter's text; "{name|words}" by the words if it is
 * missing. */
struct change_row {
	const char *words;         /* the command's */
	const char *method, *path; /* "/webhooks/{name}" */
	struct carried carried[CARRIED_MAX];
	const char *says;
	const char *made;    /* name of the answer's first row in --json; NULL: nothing is printed */
	const char *fixed;   /* members that are always sent */
	const char *creates; /* path for creating the object if it doesn't exist; NULL: none */
};

#define GRANT                                                                                                \
	{                                                                                                    \
		{"role", "role"}, {"user", "user"}, {"user_group", "group"}, {"account", "account"},         \
			{"domain", "domain"}, {"system", "system"},                                          \
		{                                                                                            \
			"inherited", "inherited"                                                             \
		}                                                                                            \
	}
#define WEBHOOK                                                                                              \
	{"url", "url"}, {"secret", "secret-file", CARRY_SECRET}, {"events", "event", CARRY_LINES},           \
		{"takes_payments", "payments", CARRY_CHOICE}, {"is_off", "off"},                             \
	{                                                                                                    \
		"is_off", "on", CARRY_FALSE                                                                  \
	}
#define PLAN                                                                                                 \
	{"description", "description"}, {"instances", "instance", CARRY_COMMAS}, {"tag_key", "tag-key"},     \
		{"tag_value", "tag-value"}, {"interval", "every"}, {"schedule", "at"},                       \
		{"timezone", "timezone"}, {"keep_last", "keep-last"}, {"keep_hourly", "keep-hourly"},        \
		{"keep_daily", "keep-daily"}, {"keep_weekly", "keep-weekly"},                                \
		{"keep_monthly", "keep-monthly"}, {"keep_yearly", "keep-yearly"},                            \
		{"container", "container"}, {"check_days", "check-days"},                                    \
	{                                                                                                    \
		"check_marker", "check-marker"                                                               \
	}
/* Commands that restrict an account. */
#define RESTRICT(WORDS, members, ...)                                                                        \
	{                                                                                                    \
		(WORDS), "POST", "/accounts/{account}/restrict", {{"reason", "reason"}, __VA_ARGS__},        \
			.says = "noted\n", .fixed = (members)                                                \
	}
#define NO_MORE                                                                                              \
	{                                                                                                    \
		0                                                                                            \
	}

static const struct change_row rows[] = {
	{"role grant", "POST", "/role-assignments", GRANT, .says = "granted\n"},
	{"role revoke", "POST", "/role-assignments/revoke", GRANT, .says = "revoked\n"},
	{"backup plan add",
	 "POST",
	 "/backup-plans",
	 {{"name", "name"}, {"account", "account"}, PLAN},
	 .says = "backup plan {name} added\n",
	 .made = "plan"},
	{"backup plan set",
	 "PATCH",
	 "/backup-plans/{name}",
	 {{"is_active", "active", CARRY_CHOICE}, PLAN},
	 .says = "backup plan {name} changed\n"},
	{"backup plan run", "POST", "/backup-plans/{name}/run", .says = "backup plan {name} runs now\n"},
	{"backup plan remove", "DELETE", "/backup-plans/{name}",
	 .says = "backup plan {name} removed; its backups stay\n"},
	{"backup machine create",
	 "POST",
	 "/machine-backups",
	 {{"instance", "instance"}, {"name", "name"}, {"description", "description"}, {"is_full", "full"}},
	 .says = "instance {instance} is being backed up: dari backup machine list\n",
	 .made = "backup"},
	{"backup machine restore",
	 "POST",
	 "/machine-backups/{id}/restore",
	 {{"in_place", "in-place"},
	  {"name", "name"},
	  {"type", "type"},
	  {"subnet", "subnet"},
	  {"groups", "group", CARRY_COMMAS},
	  {"stays_off", "stays-off"}},
	 .says = "backup {id} is being restored\n",
	 .made = "instance"},
	{"backup machine check", "POST", "/machine-backups/{id}/check",
	 .says = "backup {id} is being tested: dari backup machine list\n"},
	{"backup machine hold", "PATCH", "/machine-backups/{id}",
	 .says = "backup {id} is under a legal hold\n", .fixed = "{\"is_held\": true}"},
	{"backup machine release", "PATCH", "/machine-backups/{id}",
	 .says = "the legal hold of backup {id} is lifted\n", .fixed = "{\"is_held\": false}"},
	{"backup machine remove", "DELETE", "/machine-backups/{id}", .says = "backup {id} removed\n"},
	{"image export",
	 "POST",
	 "/export-image-tasks",
	 {{"image", "image"},
	  {"format", "format"},
	  {"bucket", "bucket"},
	  {"prefix", "prefix"},
	  {"description", "description"}},
	 .says = "image {image} is being exported: dari export list\n",
	 .made = "export"},
	{"export cancel", "POST", "/export-image-tasks/{id}/cancel",
	 .says = "export {id} cancelled; nothing of its file is left\n"},
	{"export remove", "DELETE", "/export-image-tasks/{id}",
	 .says = "export {id} removed with its file\n"},
	{"webhook add",
	 "POST",
	 "/webhooks",
	 {{"name", "name"}, WEBHOOK},
	 .says = "webhook {name} is there\n"},
	{"webhook set", "PATCH", "/webhooks/{name}", {WEBHOOK}, .says = "webhook {name} is changed\n"},
	{"webhook remove", "DELETE", "/webhooks/{name}", .says = "webhook {name} is gone\n"},
	{"webhook test", "POST", "/webhooks/{name}/test", .says = "webhook.test is sent to {name}\n"},
	{"webhook retry", "POST", "/webhook-deliveries/{delivery}/retry", .says = "it is told again\n"},
	{"signup set",
	 "PATCH",
	 "/signup-templates/{name}",
	 {{"is_open", "open", CARRY_CHOICE},
	  {"is_reviewed", "review", CARRY_CHOICE},
	  {"is_prepaid", "prepaid", CARRY_CHOICE},
	  {"reseller", "reseller"},
	  {"trial_limits", "trial-limit", CARRY_PAIRS},
	  {"limits", "limit", CARRY_PAIRS},
	  {"description", "description"}},
	 .says = "noted\n",
	 .creates = "/signup-templates"},
	{"signup remove", "DELETE", "/signup-templates/{name}", .says = "removed\n"},
	{"signup accept", "POST", "/signups/{signup}/accept", {{"reason", "reason"}}, .says = "noted\n"},
	{"signup refuse", "POST", "/signups/{signup}/refuse", {{"reason", "reason"}}, .says = "noted\n"},
	{"instance freeze", "POST", "/instances/{id}/freeze", {{"reason", "reason"}}, .says = "noted\n"},
	{"instance thaw", "POST", "/instances/{id}/thaw", .says = "noted\n"},
	RESTRICT("account cut", "{\"is_cut\": true}", NO_MORE),
	RESTRICT("account join", "{\"is_cut\": false}", NO_MORE),
	RESTRICT("account quarantine", "{\"is_quarantined\": true}", NO_MORE),
	RESTRICT("account release", "{\"is_quarantined\": false}", NO_MORE),
	RESTRICT("account limit-egress", NULL, {"egress_limit", "mbit", CARRY_COUNT}),
	RESTRICT("account unlimit-egress", "{\"egress_limit\": 0}", NO_MORE),
	{"limit set",
	 "PUT",
	 "/limits",
	 {{"name", "name"}, {"limit", "number"}},
	 .says = "{name}: {number|as usual}\n"},
	{"network add-external",
	 "POST",
	 "/external-networks",
	 {{"name", "name"},
	  {"physical_network", "physical-network"},
	  {"next_hop", "next-hop"},
	  {"infra_first|infra_last", "gateway-range", CARRY_RUN},
	  {"first|last", "range", CARRY_RUN}},
	 .says = "external network {name} added\n",
	 .made = "external_network"},
	{"network add-range",
	 "POST",
	 "/address-ranges",
	 {{"external_network", "name"}, {"first|last", "range", CARRY_RUN}},
	 .says = "{name} hands out {range} as well\n"},
	{"network set-gateway-range",
	 "PUT",
	 "/external-networks/{name}/gateway-range",
	 {{"first|last", "gateway-range", CARRY_RUN}},
	 .says = "routers lead out by {gateway-range} on {name}\n"},
	{"network set-ipv6",
	 "PUT",
	 "/external-networks/{name}/ipv6",
	 {{"pool", "pool"}, {"next_hop", "next-hop"}},
	 .says = "VPCs get their IPv6 blocks from {pool}\n"},
	{"pool set",
	 "PATCH",
	 "/storage-pools/{name}",
	 {{"more_hosts", "host", CARRY_COMMAS},
	  {"less_hosts", "no-host", CARRY_COMMAS},
	  {"more_types", "type", CARRY_COMMAS},
	  {"less_types", "no-type", CARRY_COMMAS},
	  {"monitors", "monitors", CARRY_COMMAS},
	  {"key", "key-file", CARRY_KEYRING},
	  {"enabled", "close", CARRY_FALSE},
	  {"enabled", "open"},
	  {"description", "description"}},
	 .says = "storage pool {name} changed\n"},
	{"pool move",
	 "POST",
	 "/volumes/{volume}/move",
	 {{"pool", "pool", .constant = "dari"}, {"host", "host"}},
	 .says = "volume {volume} is on its way: dari explain {volume}\n"},
	{"pool remove", "DELETE", "/storage-pools/{name}", .says = "storage pool {name} removed\n"},
#define POOL                                                                                                 \
	{                                                                                                    \
		{"name", "name"}, {"kind", "kind"}, {"path", "path"},                                        \
			{"monitors", "monitors", CARRY_COMMAS}, {"rbd_pool", "pool"}, {"rbd_user", "user"},  \
			{"key", "key-file", CARRY_KEYRING}, {"hosts", "host", CARRY_COMMAS},                 \
			{"zone", "zone"},                                                                    \
		{                                                                                            \
			"description", "description"                                                         \
		}                                                                                            \
	}
	{"pool add", "POST", "/storage-pools", POOL,
	 .says = "storage pool {name} added; which hosts see it says dari pool list\n", .made = "pool"},
	{"host add",
	 "POST",
	 "/hosts",
	 {{"name", "name"},
	  {"uri", "uri"},
	  {"zone", "zone"},
	  {"address", "address"},
	  {"pool_path", "pool"},
	  {"cpu", "cpu"},
	  {"overcommit_percent", "overcommit-percent"},
	  {"reserved_memory", "reserved-mib", CARRY_MIB}},
	 .says = "host {name} added; it is being looked at: dari host list\n",
	 .made = "host"},
	{"host set",
	 "PATCH",
	 "/hosts/{name}",
	 {{"cpu", "cpu"}, {"move_rate", "move-rate"}},
	 .says = "host {name} changed\n"},
	{"host remove", "DELETE", "/hosts/{name}", {{"keeps_note", "undo"}}, .says = "host {name} removed\n"},
	{"host fence",
	 "POST",
	 "/hosts/{name}/fence",
	 {{"reason", "reason"}},
	 .says = "host {name} is being turned off: dari host fences {name}\n"},
	{"host fenced",
	 "POST",
	 "/hosts/{name}/vouch",
	 {{"i_have_seen_it_off", "i-have-seen-it-off"}, {"by", "by"}},
	 .says = "host {name} counts as off; keep it off until its guests are elsewhere\n"},
};

/* Replaces the placeholders. is_path: encodes them as URL segments. */
static struct str fill(const struct asking *a, const char *form, bool is_path)
{
	struct str all = STR_NONE, rest = str_from(form), piece;
	for (bool is_name = false; str_split_next(&rest, is_name ? '}' : '{', &piece); is_name = !is_name) {
		struct str absent = piece, name;
		if (is_name) {
			(void) str_split_next(&absent, '|', &name);
			piece = asking_arg(a, str_to_z(a->c->arena, name));
			piece = piece.n ? piece : absent;
		}
		if (is_name && is_path)
			piece = asking_segment(a, piece);
		all = str_print(a->c->arena, "%" STR_FMT "%" STR_FMT, STR_ARG(all), STR_ARG(piece));
	}
	return all;
}

static RESULT make_body(struct asking *a, const struct change_row *row, json_t **ret_body)
{
	*ret_body = row->fixed ? json_loads(row->fixed, 0, NULL) : json_object();
	for (const struct carried *c = row->carried; c < row->carried + CARRIED_MAX && c->member; c++)
		TRY(asking_carry(a, c, *ret_body));
	return OK;
}

/* Changes the object, or creates it. */
static RESULT send_change(struct asking *a, const struct change_row *row, json_t *body,
			  const json_t **ret_answer)
{
	struct result result = asking_change(a, row->method, fill(a, row->path, true).p, body, ret_answer);
	if (result.code != ERR_NOT_FOUND || !row->creates)
		return result;
	struct str name = asking_arg(a, "name");
	ctx_clear_problem(a->c);
	(void) json_object_set_new(body, "name", json_stringn(name.p, name.n));
	return asking_change(a, "POST", row->creates, body, ret_answer);
}

RESULT asking_make_change(struct asking *a)
{
	const struct change_row *row = rows;
	const json_t *answer = NULL;
	json_t *body = NULL;
	while (row < rows + sizeof rows / sizeof *rows && strcmp(row->words, a->words) != 0)
		row++;
	struct result result = make_body(a, row, &body);
	if (result_is_ok(result))
		result = send_change(a, row, body, &answer);
	json_decref(body);
	TRY(result);
	const json_t *made = json_array_get(json_object_get(answer, "items"), 0);
	buf_add_str(&a->text, fill(a, row->says, false));
	asking_tell_nothing(a);
	if (row->made)
		a->value = json_pack("{s:O?}", row->made, json_object_get(made, "id"));
	return a->value ? OK : ctx_no_memory(a->c);
}

#define WHO_AND_WHERE                                                                                        \
	{"role", PARAM_POSITIONAL, true, "admin, manager, member, reader, or another."},                     \
		{"user", PARAM_OPTION, false, "User: NAME of the default domain, DOMAIN/NAME, or an id."},   \
		{"group", PARAM_OPTION, false,                                                               \
		 "Group instead of a user: NAME of the default domain, DOMAIN/NAME, or an id."},             \
		{"account", PARAM_OPTION, false,                                                             \
		 "Account of the role: NAME in the default domain, or DOMAIN/NAME."},                        \
		{"domain", PARAM_OPTION, false, "Domain of the role, instead of an account."},               \
		{"system", PARAM_FLAG, false, "Role on the whole region, instead of an account."},           \
		{"inherited", PARAM_FLAG, false,                                                             \
		 "Applies the role to all accounts of the domain, instead of the domain itself."},
#define SIGNUP_PARAM                                                                                         \
	{                                                                                                    \
		"signup", PARAM_POSITIONAL, true, "UUID of the sign-up, as `dari signup list` shows it."     \
	}
#define INSTANCE_PARAM                                                                                       \
	{                                                                                                    \
		"id", PARAM_POSITIONAL, true, "The instance, by EC2's id or its UUID."                       \
	}

const struct command change_commands[] = {
	{"limit set",
	 "Sets a quota: of the region, a domain, an account or a user.",
	 {{"name", PARAM_POSITIONAL, true, "Name of the limit, as in `dari limit list`."},
	  {"number", PARAM_POSITIONAL, false,
	   "The quota; -1: unlimited (default: resets it to the default)."}},
	 .ask = asking_make_change},
	{"role grant",
	 "Grants a role to a user or a group on an account or a domain.",
	 {WHO_AND_WHERE},
	 .ask = asking_make_change},
	{"role revoke", "Revokes a role.", {WHO_AND_WHERE}, .ask = asking_make_change},
	{"webhook remove",
	 "Removes a webhook and its waiting deliveries.",
	 {{"name", PARAM_POSITIONAL, true, "Name."}},
	 .ask = asking_make_change},
	{"webhook test",
	 "Sends the event webhook.test to a webhook, whatever events it has.",
	 {{"name", PARAM_POSITIONAL, true, "Name."}},
	 .ask = asking_make_change},
	{"webhook retry",
	 "Sends waiting and abandoned deliveries of a webhook again, now.",
	 {{"delivery", PARAM_POSITIONAL, true, "UUID of the delivery, as in `dari webhook deliveries`."}},
	 .ask = asking_make_change},
	{"signup remove",
	 "Removes a sign-up template. Accounts created with it are kept.",
	 {{"name", PARAM_POSITIONAL, true, "Name."}},
	 .ask = asking_make_change},
	{"signup accept",
	 "Accepts a sign-up that waits for review: the trial begins.",
	 {SIGNUP_PARAM, {"reason", PARAM_OPTION, false, "Reason, for the history."}},
	 .ask = asking_make_change},
	{"signup refuse",
	 "Refuses a sign-up that waits for review, and disables its account.",
	 {SIGNUP_PARAM, {"reason", PARAM_OPTION, true, "Reason, sent to webhooks."}},
	 .ask = asking_make_change},
	{"instance freeze",
	 "Pauses an instance that is misused, and refuses its owner's changes.",
	 {INSTANCE_PARAM, {"reason", PARAM_OPTION, true, "Reason, shown to the owner."}},
	 .ask = asking_make_change},
	{"instance thaw",
	 "Resumes a frozen instance, and returns it to its owner.",
	 {INSTANCE_PARAM},
	 .ask = asking_make_change},
	{0},
};
