/* SPDX-License-Identifier: Apache-2.0
 * Calls of Azure's face: paths with names in resource groups, tokens, and codes. Resources of other faces are
 * in the group dari-default, under their id. */
#include <stdarg.h>
#include <stdio.h>

#include "../unit/api/script.h"
#include "simulation.h"

/* ---- names ---- */

static const struct type {
	enum kind kind;
	const char *name, *version;
} types[] = {
	{KIND_RESOURCE_GROUP, "", "2021-04-01"},
	{KIND_INSTANCE, "Microsoft.Compute/virtualMachines", "2022-08-01"},
	{KIND_VOLUME, "Microsoft.Compute/disks", "2023-04-02"},
	{KIND_SNAPSHOT, "Microsoft.Compute/snapshots", "2023-04-02"},
	{KIND_IMAGE, "Microsoft.Compute/images", "2022-08-01"},
	{KIND_ROUTER, "Microsoft.Network/virtualNetworks", "2022-07-01"},
	{KIND_SUBNET, "Microsoft.Network/virtualNetworks", "2022-07-01"},
	{KIND_PORT, "Microsoft.Network/networkInterfaces", "2022-07-01"},
	{KIND_ADDRESS, "Microsoft.Network/publicIPAddresses", "2022-07-01"},
};

static const struct type *type_of(enum kind kind)
{
	size_t k = 0;
	while (k < sizeof types / sizeof *types && types[k].kind != kind)
		k++;
	assert_true(k < sizeof types / sizeof *types);
	return &types[k];
}

/* The name of a part follows the name of its parent. */
struct str azure_name(const struct simulation *s, const struct thing *t)
{
	struct arena *a = s->region.cloud->arena;
	if (t->arm[0])
		return str_copy(a, str_from(t->arm));
	if (t->kind == KIND_SUBNET && t->of)
		return str_print(a, "%" STR_FMT "/%s", STR_ARG(azure_name(s, t->of)), t->id);
	return str_copy(a, str_from(t->id));
}

static struct str group_name(const struct thing *area)
{
	return area ? str_from(area->name) : STR("dari-default");
}

static struct str id_of(const struct simulation *s, unsigned account, enum kind kind, struct str group,
			struct str name)
{
	char subscription[UUID_TEXT_SIZE];
	struct str first = STR_NONE, rest = name;
	struct arena *a = s->region.cloud->arena;
	(void) uuid_write(s->region.users[account].who.account, subscription);
	struct str base =
		str_print(a, "/subscriptions/%s/resourceGroups/%" STR_FMT, subscription, STR_ARG(group));
	if (kind == KIND_RESOURCE_GROUP)
		return base;
	(void) str_split_next(&rest, '/', &first);
	return str_print(a, "%" STR_FMT "/providers/%s/%" STR_FMT "%s%" STR_FMT, STR_ARG(base),
			 type_of(kind)->name, STR_ARG(first), kind == KIND_SUBNET ? "/subnets/" : "",
			 STR_ARG(rest));
}

struct str azure_id(const struct simulation *s, const struct thing *t)
{
	struct str group = t->kind == KIND_RESOURCE_GROUP ? str_from(t->name) : group_name(t->area);
	return id_of(s, t->account, t->kind, group, azure_name(s, t));
}

struct str azure_line(const struct simulation *s, unsigned account, const char *method, const char *rest,
		      const char *version)
{
	char subscription[UUID_TEXT_SIZE];
	(void) uuid_write(s->region.users[account].who.account, subscription);
	return str_print(s->region.cloud->arena, "%s /subscriptions/%s%s%sapi-version=%s", method,
			 subscription, rest, strchr(rest, '?') ? "&" : "?", version);
}

/* ---- drawing ---- */

void azure_say(struct request *x, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	x->size += (size_t) vsnprintf(x->text + x->size, TEXT_MAX - x->size, format, args);
	va_end(args);
	assert_true(x->size < TEXT_MAX);
}

/* For "POST virtualMachines/start" the verb follows the id. */
static void write_path(struct request *x, enum kind kind, struct str id)
{
	const char *action = x->operation->action, *verb = strchr(action, '/');
	int n = snprintf(x->path, sizeof x->path, "%.*s %" STR_FMT "%s?api-version=%s",
			 (int) strcspn(action, " "), action, STR_ARG(id), verb ? verb : "",
			 type_of(kind)->version);
	assert_true((size_t) n < sizeof x->path);
}

/* Names are case-insensitive. */
void azure_name_target(struct request *x, struct thing *t)
{
	struct str id = azure_id(x->s, t);
	if (random_below(8) == 0)
		id = str_lower(x->s->region.cloud->arena, id);
	write_path(x, t->kind, id);
}

/* One of the account's permanent groups, including dari-default. */
static struct thing *draw_area(const struct request *x)
{
	struct thing *picked = NULL;
	uint64_t count = 1;
	EACH (&x->s->model, t, KIND_RESOURCE_GROUP)
		if (t->account == x->account && t->life == LIVE && random_below(++count) == 0)
			picked = t;
	return picked;
}

static struct thing *find(const struct request *x, enum kind kind)
{
	EACH (&x->s->model, t, kind)
		if (t->account == x->account && t->area == x->area && strcmp(t->arm, x->arm) == 0 &&
		    (t->life == LIVE || (t->life == ENDING && kind == KIND_INSTANCE)))
			return t;
	return NULL;
}

/* A machine that is ending keeps its name for a while. */
bool azure_draw_target(struct request *x, enum kind kind, const char *letter)
{
	if (random_below(3) == 0) {
		x->target = request_ref(x, "", kind);
		return x->target && x->target->life == LIVE;
	}
	x->area = draw_area(x);
	x->makes = kind;
	snprintf(x->arm, sizeof x->arm, "%s%d", letter, (int) random_below(5));
	x->target = find(x, kind);
	if (x->target) {
		if (!x->target->id[0] || x->target->life != LIVE)
			return false;
		request_name(x, "", x->target);
	} else {
		write_path(x, kind, id_of(x->s, x->account, kind, group_name(x->area), str_from(x->arm)));
	}
	return true;
}

void azure_take_name(struct request *x, struct thing *t)
{
	snprintf(t->arm, sizeof t->arm, "%s", x->arm);
	t->area = x->area;
}

void azure_draw_tags(struct request *x)
{
	if (random_below(2))
		return;
	snprintf(x->tag.key, sizeof x->tag.key, "k%d", (int) random_below(4));
	snprintf(x->tag.value, sizeof x->tag.value, "v%d", (int) random_below(100));
	azure_say(x, ", \"tags\": {\"%s\": \"%s\"}", x->tag.key, x->tag.value);
}

void azure_apply_tags(struct request *x, struct thing *t)
{
	t->tag_count = 0; /* a PUT without tags leaves none */
	request_apply_tag(x, t);
}

/* A port that is ending has released its name at once. */
static bool is_name_reused(const struct request *x, const struct thing *t)
{
	EACH (&x->s->model, other, t->kind)
		if (other != t && other->account == t->account && other->area == t->area &&
		    other->life != GONE && strcmp(other->arm, t->arm) == 0)
			return true;
	return false;
}

/* A released name may be in use by another resource by now. */
bool azure_can_be_sent(const struct request *x)
{
	for (size_t k = 0; k < x->ref_count; k++) {
		const struct thing *t = x->refs[k];
		bool is_named = t->arm[0] || t->kind == KIND_RESOURCE_GROUP;
		if (is_named && (t->life == GONE || (t->life == ENDING && is_name_reused(x, t))))
			return false;
	}
	return true;
}

struct str azure_read(struct simulation *s, const struct thing *t, int *ret_status)
{
	struct fake_call http;
	struct arena *a = s->region.cloud->arena;
	azure_start(s, &s->region.users[t->account],
		    str_print(a, "GET %" STR_FMT "?api-version=%s", STR_ARG(azure_id(s, t)),
			      type_of(t->kind)->version),
		    STR_NONE, &http);
	if (!http.is_answered)
		blame(s, "a look at one resource waits");
	struct str body = str_copy(a, buf_str(&http.body));
	*ret_status = http.status;
	fake_call_done(&http);
	return body;
}

/* An earlier call of the account may change the object that is sent back. */
static bool is_alone(const struct request *x)
{
	for (size_t k = 0; k < CLIENTS; k++) {
		const struct request *other = &x->s->clients[k];
		if (other != x && other->is_open && other->account == x->account)
			return false;
	}
	return true;
}

/* An instance in transition gets and loses addresses without a call. */
static bool is_settled(const struct request *x, const struct thing *t)
{
	const struct thing *holder = t->of ? t->of : t->to;
	bool is_in_one = t->kind == KIND_PORT && holder && holder->kind == KIND_INSTANCE;
	return !is_in_one || server_is_at_rest(x, holder);
}

bool azure_draw_back(struct request *x)
{
	struct thing *t = x->refs[0];
	int status = 0;
	if (t->account != x->account || t->life != LIVE || !is_alone(x) || model_may_have_ended(t) ||
	    !is_settled(x, t))
		return false;
	x->body = azure_read(x->s, t, &status);
	if (status != 200)
		blame(x->s, "%" STR_FMT ", which is there, is answered %d", STR_ARG(azure_id(x->s, t)),
		      status);
	return true;
}

/* ---- judging ---- */

static bool begins(const struct request *x, const char *method)
{
	return strncmp(x->operation->action, method, strlen(method)) == 0;
}

/* A thing that ends while the call is under way is missing on the committer, whoever names it. */
static void judge_ref(const struct request *x, const struct thing *t, bool is_path, struct verdict *v)
{
	bool is_there = t->account == x->account && t->life != GONE;
	const char *absent = t->kind == KIND_RESOURCE_GROUP ? "ResourceGroupNotFound" : "ResourceNotFound";
	if (is_path && t->account != x->account) {
		refuse(v, "SubscriptionNotFound");
		return;
	}
	bool may_be_absent = begins(x, "DELETE") && t->kind != KIND_RESOURCE_GROUP;
	if (is_path && !is_there && !may_be_absent)
		refuse(v, absent);
	else if (is_path && (!is_there || model_may_have_ended(t)))
		doubt(v, absent);
	if (!is_path && !is_there)
		refuse(v, "InvalidResourceReference");
	if (!is_path && (!is_there || model_may_have_ended(t))) {
		doubt(v, "InvalidResourceReference");
		doubt(v, "ResourceNotFound");
	}
}

void azure_judge(const struct request *x, struct verdict *v)
{
	bool names_first = !x->arm[0] || x->target;
	for (size_t k = 0; k < x->ref_count; k++)
		judge_ref(x, x->refs[k], k == 0 && names_first, v);
	if (x->arm[0] && !x->target && find(x, x->makes)) /* another call has created it */
		refuse(v, "Conflict");
	if (x->area && x->area->life == GONE)
		refuse(v, "ResourceGroupNotFound");
	if (x->area && x->area->life != LIVE)
		refuse(v, "ResourceGroupBeingDeleted");
}

/* The status must distinguish a creation from a change, and an existing resource from a missing one. */
void azure_check_status(const struct request *x)
{
	const struct thing *t = x->ref_count ? x->refs[0] : NULL;
	int status = x->http.status;
	bool is_there = t && t->account == x->account && t->life == LIVE && !model_may_have_ended(t);
	if (status == 204 && is_there)
		blame(x->s, "#%d: what is deleted was not there: %s", (int) x->serial, x->path);
	if (x->arm[0] && status / 100 == 2 && (status == 200) != (x->target != NULL))
		blame(x->s, "#%d: %s is answered %d", (int) x->serial, x->path, status);
}

/* Azure's codes for the EC2 codes of shared judges. */
void azure_translate(struct verdict *v)
{
	static const struct {
		const char *ec2, *azure;
	} words[] = {
		{"AddressLimitExceeded", "PublicIPCountLimitReached"},
		{"ConcurrentSnapshotLimitExceeded", "OperationNotAllowed"},
		{"AuthFailure", "ScopeLocked"}, /* if it became a NAT gateway's meanwhile */
		{"DependencyViolation", "InUseSubnetCannotBeDeleted"},
		{"IncorrectInstanceState", "OperationNotAllowed"},
		{"IncorrectModificationState", "Conflict"},
		{"IncorrectState", "OperationNotAllowed"},
		{"InstanceLimitExceeded", "OperationNotAllowed"},
		{"InsufficientInstanceCapacity", "AllocationFailed"},
		{"InsufficientVolumeCapacity", "AllocationFailed"},
		{"InvalidIPAddress.InUse", "PublicIPAddressCannotBeDeleted"},
		{"InvalidNetworkInterface.InUse", "NicInUse"},
		{"InvalidSnapshot.InUse", "Conflict"},
		{"OperationNotPermitted", "ScopeLocked"},
		{"VolumeInUse", "OperationNotAllowed"},
	};
	for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
		for (size_t n = 0; n < v->refusal_count; n++)
			if (strcmp(v->refusals[n], words[k].ec2) == 0)
				v->refusals[n] = words[k].azure;
		for (size_t n = 0; n < v->doubt_count; n++)
			if (strcmp(v->doubts[n], words[k].ec2) == 0)
				v->doubts[n] = words[k].azure;
	}
}

/* ---- sending ---- */

/* Signs a new token when the old one may soon expire, because signing takes longer than a call. */
static struct str token_of(struct simulation *s, const struct world_user *user,
			   const struct script_request *request)
{
	static struct {
		uuid user;
		int64_t made_us;
		char text[4096];
	} kept[2 * ACCOUNTS + 2];
	struct region *r = &s->region;
	struct fake_call http;
	size_t k = 0;
	while (k < sizeof kept / sizeof *kept - 1 && kept[k].text[0] &&
	       !uuid_equal(kept[k].user, user->who.user))
		k++;
	bool is_good =
		uuid_equal(kept[k].user, user->who.user) && clock_now_us() < kept[k].made_us + 30 * MINUTE;
	if (is_good)
		return str_from(kept[k].text);
	world_request_call(&r->cloud->c, r->tokens, r->bearers, user, request, &http);
	for (size_t h = 0; h < http.header_count; h++)
		if (str_is(http.header_names[h], "Authorization"))
			snprintf(kept[k].text, sizeof kept[k].text, "%" STR_FMT,
				 STR_ARG(http.header_values[h]));
	kept[k].user = user->who.user;
	kept[k].made_us = clock_now_us();
	fake_call_done(&http);
	return str_from(kept[k].text);
}

void azure_start(struct simulation *s, const struct world_user *user, struct str line, struct str body,
		 struct fake_call *http)
{
	struct region *r = &s->region;
	struct arena *a = r->cloud->arena;
	size_t path = str_find_char(line, ' ', 0) + 1, query = str_find_char(line, '?', path);
	const struct script_request request = {.method = str_slice(line, 0, path - 1),
					       .path = str_slice(line, path, query),
					       .query = str_slice(line, query + 1, line.n),
					       .body = body};
	ctx_init(&r->cloud->c, a);
	struct str token = token_of(s, user, &request);
	fake_call_init(http, str_to_z(a, request.method), request.path, request.query, body);
	fake_call_add_header(http, "Host", STR("cloud.test:8773"));
	fake_call_add_header(http, "Content-Type", STR("application/json"));
	fake_call_add_header(http, "Authorization", token);
	http->call.self = r->azure;
	fake_call_handle(http, &api_http_face);
}
