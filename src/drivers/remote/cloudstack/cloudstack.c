/* SPDX-License-Identifier: Apache-2.0
 * The driver of Apache CloudStack: signed POSTs to the endpoint, which ends in /client/api. The region is the name of a
 * zone, or "all". Acts are jobs there; the machine's state says what came of them. Sources: CloudStack API reference
 * 4.18, its Developer's Guide on signing. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "drivers/remote/cloudstack/answer.h"
#include "drivers/remote/cloudstack/metrics.h"
#include "drivers/remote/cloudstack/resources.h"
#include "model/remote_machine.h"

enum { PARAMS_MAX = 128, FORM_MAX = 64 * 1024, SHA1_SIZE = 20, METRIC_MACHINES = 5, VOLUMES_MAX = 64 };

struct param {
	struct str name, value;
};

struct command {
	struct ctx *c;
	struct param at[PARAMS_MAX];
	size_t count;
	bool only_reads;
};

static void add(struct command *q, struct str name, struct str value)
{
	if (q->count < PARAMS_MAX)
		q->at[q->count++] = (struct param){name, value};
}

static void begin(struct command *q, struct ctx *c, const char *name)
{
	*q = (struct command){.c = c, .only_reads = str_starts_with(str_from(name), STR("list"))};
	add(q, STR("command"), str_from(name));
	add(q, STR("response"), STR("json"));
}

/* ---- signing ---- */

/* Java's URLEncoder, with "%20" for a space: CloudStack repeats it for the signature. */
static void add_encoded(struct buf *out, struct str text)
{
	for (size_t k = 0; k < text.n; k++) {
		char ch = text.p[k];
		if (str_is_alphanumeric(ch) || strchr("-_.*", ch))
			buf_add_char(out, ch);
		else
			buf_print(out, "%%%02X", (unsigned) (unsigned char) ch);
	}
}

static int compare_names(const void *a, const void *b)
{
	return str_compare_nocase(((const struct param *) a)->name, ((const struct param *) b)->name);
}

/* The parameters as they are sent; the signature covers the same text in lower case. */
static RESULT write_form(struct command *q, struct str *ret_form)
{
	struct buf text;
	buf_init(&text, FORM_MAX);
	qsort(q->at, q->count, sizeof q->at[0], compare_names);
	for (size_t k = 0; k < q->count; k++) {
		buf_print(&text, "%s%" STR_FMT "=", k ? "&" : "", STR_ARG(q->at[k].name));
		add_encoded(&text, q->at[k].value);
	}
	bool is_whole = !text.failed && q->count < PARAMS_MAX;
	*ret_form = is_whole ? str_copy(q->c->arena, buf_str(&text)) : STR_NONE;
	buf_done(&text);
	return ret_form->p ? OK : ctx_no_memory(q->c);
}

static RESULT sign(struct ctx *c, const struct remote *r, struct str form, struct str *ret_signed)
{
	uint8_t mac[SHA1_SIZE];
	char *folded = arena_alloc(c->arena, form.n + 1);
	if (!folded)
		return ctx_no_memory(c);
	for (size_t k = 0; k < form.n; k++)
		folded[k] = form.p[k] >= 'A' && form.p[k] <= 'Z' ? (char) (form.p[k] - 'A' + 'a') : form.p[k];
	crypto_hmac_sha1(r->secret.p, r->secret.n, (struct str){folded, form.n}, mac);
	struct str signature = str_encode_base64(c->arena, (struct str){(const char *) mac, sizeof mac});
	*ret_signed = str_print(c->arena, "%" STR_FMT "&signature=%" STR_FMT, STR_ARG(form),
				STR_ARG(str_encode_url(c->arena, signature, false)));
	return arena_is_full(c->arena) ? ctx_no_memory(c) : OK;
}

/* ---- one call ---- */

/* CloudStack's own status codes, of its ApiErrorCode, which has neither 404 nor 410; the rest are HTTP's. A command that the role lacks is refused
 * as 432, or as 401 with a sentence. */
static enum err err_of(struct ctx *c, const struct remote_json *answer)
{
	static const struct {
		int status;
		enum err err;
	} known[] = {{431, ERR_INVALID}, {432, ERR_DENIED}, {530, ERR_AGAIN},
		     {531, ERR_DENIED},  {533, ERR_AGAIN},  {534, ERR_AGAIN},
		     {535, ERR_STATE},   {536, ERR_STATE},  {537, ERR_STATE}};
	struct str text = remote_json_text(c, cloudstack_inner(answer->root), "errortext");
	if (answer->status == 431 && str_contains(text, STR("Invalid parameter id value")))
		return ERR_NOT_FOUND;
	if (answer->status == 401 && str_contains(text, STR("does not exist")))
		return ERR_DENIED;
	for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
		if (known[k].status == answer->status)
			return known[k].err;
	return answer->status == 404 || answer->status == 410 ? ERR_IO : remote_err_of_status(answer->status);
}

static RESULT call(struct command *q, struct remote *r, struct remote_json *ret_answer)
{
	struct ctx *c = q->c;
	struct remote_request request = {
		.url = r->endpoint,
		.only_reads = q->only_reads,
		.headers = {"Content-Type: application/x-www-form-urlencoded", "Expect:"}};
	add(q, STR("apiKey"), r->login);
	TRY(write_form(q, &request.body));
	TRY(sign(c, r, request.body, &request.body));
	TRY(remote_ask_json(c, r, &request, ret_answer));
	return ret_answer->status == 200 && cloudstack_inner(ret_answer->root)
		       ? OK
		       : remote_refuse(c, r, ret_answer,
				       ret_answer->status == 200 ? ERR_IO : err_of(c, ret_answer));
}

/* ---- verification ---- */

static RESULT cloudstack_check(struct ctx *c, const struct remote *r)
{
	struct remote_url url;
	TRY(remote_check_text(
		c, r->region, REMOTE_NAME, "region",
		"A region is a zone's name, or \"all\": letters, digits, blanks and ._-@()+,:'."));
	TRY(remote_check_text(c, r->login, REMOTE_PLACE, "login", "A login is an API key of a user."));
	if (!r->endpoint.n)
		return ctx_fail_field(c, ERR_INVALID, STR("endpoint"),
				      "CloudStack needs the URL of its API, such as "
				      "https://cloud.example.com/client/api.");
	return remote_parse_url(c, r->endpoint, &url);
}

static RESULT identify(struct ctx *c, struct remote *r, struct remote_identity *identity)
{
	AUTO_ANSWER answer = {0};
	struct command q;
	begin(&q, c, "listAccounts");
	TRY(call(&q, r, &answer));
	identity->account = cloudstack_read_account(c, answer.root, r->login);
	return draft_is_id(identity->account)
		       ? OK
		       : ctx_fail(c, ERR_IO, "The cloud does not say whose credentials these are.");
}

/* Commands that the driver uses, in the order in which the verification asks for them. */
static const struct {
	const char *command;
	enum remote_machine_act act;
	const char *id; /* parameter with the machine's id */
} calls[] = {{"listVirtualMachines", REMOTE_MACHINE_ACT_NONE, "id"},
	     {"startVirtualMachine", REMOTE_MACHINE_ACT_START, "id"},
	     {"stopVirtualMachine", REMOTE_MACHINE_ACT_STOP, "id"},
	     {"rebootVirtualMachine", REMOTE_MACHINE_ACT_REBOOT, "id"},
	     {"destroyVirtualMachine", REMOTE_MACHINE_ACT_TERMINATE, "id"},
	     {"createTags", REMOTE_MACHINE_ACT_TAG, "resourceids"},
	     {"deployVirtualMachine", REMOTE_MACHINE_ACT_CREATE, NULL},
	     {"scaleVirtualMachine", REMOTE_MACHINE_ACT_RESIZE, "id"}};
enum { CALLS = sizeof calls / sizeof calls[0] };

/* listApis fails for a command that the role lacks, with a code that depends on the version. */
static RESULT try_right(struct ctx *c, struct remote *r, const char *command,
			struct remote_identity *identity)
{
	AUTO_ANSWER answer = {0};
	struct command q;
	begin(&q, c, "listApis");
	add(&q, STR("name"), str_from(command));
	struct result result = call(&q, r, &answer);
	struct str text = remote_json_text(c, cloudstack_inner(answer.root), "errortext");
	bool is_lacking = !result_is_ok(result) && (str_contains(text, STR("unable to find an api")) ||
						    str_contains(text, STR("does not exist")));
	if (!is_lacking)
		return result;
	ctx_clear_problem(c);
	return remote_add_lack(c, identity, str_from(command));
}

static RESULT cloudstack_verify(struct ctx *c, struct remote *r, size_t step, struct str machine,
				struct remote_identity *identity, bool *ret_is_over)
{
	(void) machine;
	*ret_is_over = step > CALLS;
	if (*ret_is_over)
		return OK;
	return step == 0 ? identify(c, r, identity) : try_right(c, r, calls[step - 1].command, identity);
}

/* ---- machines ---- */

static RESULT cloudstack_list(struct ctx *c, struct remote *r, struct str cursor,
			      struct remote_page *ret_page)
{
	AUTO_ANSWER answer = {0};
	struct command q;
	size_t count = 0;
	int64_t page = 1;
	if (cursor.n)
		TRY(str_parse_int(cursor, &page));
	begin(&q, c, calls[0].command);
	add(&q, STR("listall"), STR("true"));
	add(&q, STR("page"), str_print(c->arena, "%lld", (long long) page));
	add(&q, STR("pagesize"), str_print(c->arena, "%d", CLOUDSTACK_PAGE_SIZE));
	TRY(call(&q, r, &answer));
	TRY(cloudstack_read_machines(c, answer.root, r->region, ret_page, &count));
	if (count >= CLOUDSTACK_PAGE_SIZE)
		ret_page->cursor = str_print(c->arena, "%lld", (long long) page + 1);
	return OK;
}

static RESULT cloudstack_list_resources(struct ctx *c, struct remote *r, enum remote_resource_type type,
					struct str cursor, struct remote_resource_page *ret_page)
{
	AUTO_ANSWER answer = {0};
	struct command q;
	const struct cloudstack_list *list = &cloudstack_lists[type];
	int64_t page = 1;
	if (cursor.n)
		TRY(str_parse_int(cursor, &page));
	begin(&q, c, list->command);
	if (list->filter)
		add(&q, str_from(list->filter), str_from(list->word));
	add(&q, STR("page"), str_print(c->arena, "%lld", (long long) page));
	add(&q, STR("pagesize"), str_print(c->arena, "%d", CLOUDSTACK_PAGE_SIZE));
	TRY(call(&q, r, &answer));
	TRY(cloudstack_read_resources(c, answer.root, type, r->region, ret_page));
	if (ret_page->entries >= CLOUDSTACK_PAGE_SIZE)
		ret_page->cursor = str_print(c->arena, "%lld", (long long) page + 1);
	return OK;
}

static RESULT cloudstack_get(struct ctx *c, struct remote *r, struct str ref,
			     struct remote_machine *ret_machine)
{
	AUTO_ANSWER answer = {0};
	struct command q;
	struct remote_page page = {0};
	size_t count = 0;
	begin(&q, c, calls[0].command);
	add(&q, STR("id"), ref);
	TRY(call(&q, r, &answer));
	TRY(cloudstack_read_machines(c, answer.root, STR("all"), &page, &count));
	if (!count)
		return ctx_fail(c, ERR_NOT_FOUND, "The cloud has no machine %" STR_FMT ".", STR_ARG(ref));
	if (count != 1 || !str_equal(page.machines[0].ref, ref))
		return ctx_fail(c, ERR_IO, "The answer is not usable: it is about another machine.");
	*ret_machine = page.machines[0];
	return OK;
}

/* ---- acts ---- */

/* Id of a zone or an offering that is named by its id or its name. */
static RESULT find_id(struct ctx *c, struct remote *r, const char *command, const char *list, struct str said,
		      struct str *ret_id)
{
	AUTO_ANSWER answer = {0};
	struct command q;
	begin(&q, c, command);
	TRY(call(&q, r, &answer));
	*ret_id = cloudstack_find_id(c, answer.root, list, said);
	return ret_id->n ? OK
			 : ctx_fail(c, ERR_INVALID, "The cloud has no %s %" STR_FMT ".", list, STR_ARG(said));
}

static RESULT freeze_volume(struct ctx *c, struct remote *r, struct str volume, struct str name)
{
	AUTO_ANSWER answer = {0};
	struct command q;
	begin(&q, c, "createSnapshot");
	add(&q, STR("volumeid"), volume);
	add(&q, STR("name"), name);
	return call(&q, r, &answer);
}

static RESULT list_volumes(struct ctx *c, struct remote *r, struct str machine,
			   struct remote_json *ret_answer)
{
	struct command q;
	begin(&q, c, "listVolumes");
	add(&q, STR("virtualmachineid"), machine);
	return call(&q, r, ret_answer);
}

/* Makes a snapshot of each volume. Snapshots of whole machines (createVMSnapshot) stay in the machine's disks, and
 * hypervisors refuse them for running machines. A failure leaves the earlier ones. */
static RESULT snapshot(struct ctx *c, struct remote *r, const struct remote_act *act)
{
	AUTO_ANSWER answer = {0};
	TRY(list_volumes(c, r, act->ref, &answer));
	const json_t *volumes = json_object_get(cloudstack_inner(answer.root), "volume");
	size_t count = json_array_size(volumes);
	if (!count || count > VOLUMES_MAX)
		return ctx_fail(c, ERR_IO, "The answer is not usable: the machine has %zu volumes.", count);
	for (size_t k = 0; k < count; k++) {
		struct str id = remote_json_text(c, json_array_get(volumes, k), "id");
		if (!draft_is_id(id))
			return ctx_fail(c, ERR_IO, "The answer is not usable: a volume has no proper id.");
		TRY(freeze_volume(c, r, id, remote_snapshot_name(c, act)));
	}
	return OK;
}

static RESULT send_act(struct ctx *c, struct remote *r, const struct remote_act *act)
{
	AUTO_ANSWER answer = {0};
	struct command q;
	size_t row = 0;
	while (row < CALLS - 1 && calls[row].act != act->verb)
		row++;
	begin(&q, c, calls[row].command);
	add(&q, str_from(calls[row].id), act->ref);
	if (act->verb == REMOTE_MACHINE_ACT_TAG)
		add(&q, STR("resourcetype"), STR("UserVm"));
	for (size_t k = 0; act->verb == REMOTE_MACHINE_ACT_TAG && k < act->tags.count; k++) {
		add(&q, str_print(c->arena, "tags[%zu].key", k), act->tags.at[k].key);
		add(&q, str_print(c->arena, "tags[%zu].value", k), act->tags.at[k].value);
	}
	if (act->verb == REMOTE_MACHINE_ACT_RESIZE) {
		struct str id;
		TRY(find_id(c, r, "listServiceOfferings", "serviceoffering", act->type, &id));
		add(&q, STR("serviceofferingid"), id);
	}
	return call(&q, r, &answer);
}

static RESULT cloudstack_act(struct ctx *c, struct remote *r, const struct remote_act *act)
{
	return act->verb == REMOTE_MACHINE_ACT_SNAPSHOT ? snapshot(c, r, act) : send_act(c, r, act);
}

/* ---- creation ---- */

static RESULT find_created(struct ctx *c, struct remote *r, struct str token, struct remote_page *ret_page)
{
	AUTO_ANSWER answer = {0};
	struct command q;
	size_t count = 0;
	begin(&q, c, calls[0].command);
	add(&q, STR("name"), token);
	TRY(call(&q, r, &answer));
	return cloudstack_read_machines(c, answer.root, STR("all"), ret_page, &count);
}

static void add_joined(struct command *q, const char *name, struct strs list)
{
	struct str all = STR_NONE;
	for (size_t k = 0; k < list.count; k++)
		all = str_print(q->c->arena, "%" STR_FMT "%s%" STR_FMT, STR_ARG(all), k ? "," : "",
				STR_ARG(list.at[k]));
	if (all.n)
		add(q, str_from(name), all);
}

/* Sends deployVirtualMachine. CloudStack refuses a duplicate name, so two requests at once make one machine. */
static RESULT deploy(struct ctx *c, struct remote *r, const struct remote_new *wish, struct str token,
		     struct str *ret_id)
{
	AUTO_ANSWER answer = {0};
	struct command q;
	struct str zone, offering;
	TRY(find_id(c, r, "listZones", "zone", wish->zone.n ? wish->zone : r->region, &zone));
	TRY(find_id(c, r, "listServiceOfferings", "serviceoffering", wish->type, &offering));
	begin(&q, c, "deployVirtualMachine");
	add(&q, STR("name"), token);
	add(&q, STR("displayname"), wish->name);
	add(&q, STR("zoneid"), zone);
	add(&q, STR("serviceofferingid"), offering);
	add(&q, STR("templateid"), wish->image);
	if (wish->subnet.n)
		add(&q, STR("networkids"), wish->subnet);
	if (wish->key_name.n)
		add(&q, STR("keypair"), wish->key_name);
	add_joined(&q, "securitygroupids", wish->groups);
	TRY(call(&q, r, &answer));
	*ret_id = remote_json_text(c, cloudstack_inner(answer.root), "id");
	return OK;
}

static RESULT cloudstack_create(struct ctx *c, struct remote *r, const struct remote_new *wish,
				struct remote_machine *ret_machine)
{
	struct remote_page page = {0};
	struct str token = cloudstack_write_token(c, wish->token), id = STR_NONE;
	if (wish->tags.count)
		return ctx_fail(c, ERR_UNSUPPORTED,
				"CloudStack sets no tags while it creates; use remote tag afterwards.");
	TRY(find_created(c, r, token, &page));
	for (size_t k = 0; k < page.count; k++)
		if (uuid_equal(page.machines[k].row.id, wish->token)) {
			*ret_machine = page.machines[k];
			return OK;
		}
	TRY(deploy(c, r, wish, token, &id));
	if (!draft_is_id(id))
		return ctx_fail(c, ERR_IO,
				"The answer is not usable: it has not the machine that was created.");
	*ret_machine = (struct remote_machine){.ref = id,
					       .name = wish->name,
					       .type = wish->type,
					       .image = wish->image,
					       .power = REMOTE_MACHINE_POWER_PENDING};
	return OK;
}

/* ---- metrics ---- */

/* CloudStack reads the time in its server's zone, which no answer tells, and times of answers have a zone: the request goes as
 * far back as a zone west of Greenwich can be. */
#define ZONE_WEST_US (12 * HOUR)

static RESULT cloudstack_read_metrics(struct ctx *c, struct remote *r,
				      const struct remote_metrics_query *query,
				      struct remote_metric_point *ret_points)
{
	AUTO_ANSWER answer = {0};
	struct command q;
	char since[CLOCK_TEXT_SIZE];
	clock_write_s(query->from_us - ZONE_WEST_US, since);
	begin(&q, c, "listVirtualMachinesUsageHistory");
	add_joined(&q, "ids", (struct strs){query->refs, query->count});
	add(&q, STR("startdate"), str_print(c->arena, "%.10s %.8s", since, since + sizeof "2026-11-29"));
	TRY(call(&q, r, &answer));
	return cloudstack_read_points(c, answer.root, query, ret_points);
}

const struct remote_driver remote_cloudstack = {
	.name = "cloudstack",
	.verbs = REMOTE_VERBS_COMMON | REMOTE_VERB_SNAPSHOT,
	.check = cloudstack_check,
	.verify = cloudstack_verify,
	.list = cloudstack_list,
	.types = CLOUDSTACK_RESOURCE_TYPES,
	.list_resources = cloudstack_list_resources,
	.get = cloudstack_get,
	.act = cloudstack_act,
	.create = cloudstack_create,
	.read_metrics = cloudstack_read_metrics,
	.metric_machines = METRIC_MACHINES,
};
