/* SPDX-License-Identifier: Apache-2.0
 * Parameters of listeners, pools, members and health monitors. A request creates one alone, or with its whole. */
#include "api/openstack/load_balancer/load_balancer.h"
#include "model/listener.h"

static const struct param persistence_rows[] = {
	OS_BODY(struct octavia_persistence, "type", type, .flags = REQUIRED, .words = LB_PERSISTENCES,
		.doc = "SOURCE_IP: by the client's address; else by a cookie."),
	OS_BODY(struct octavia_persistence, "cookie_name", cookie, .flags = NULL_ABSENT, LB_TEXT,
		.doc = "APP_COOKIE: the application's cookie."),
	OS_UNBUILT("persistence_timeout|persistence_granularity"),
};
const struct params os_lb_persistence_params = OS_PARAMS(struct octavia_persistence, persistence_rows);

static const struct param member_rows[] = {LB_MEMBER_ROWS(struct octavia_member, )};
const struct params os_lb_member_params = OS_PARAMS(struct octavia_member, member_rows);

static const struct param monitor_rows[] = {LB_MONITOR_ROWS(struct octavia_monitor, )};
const struct params os_lb_monitor_params = OS_PARAMS(struct octavia_monitor, monitor_rows);

static const struct param pool_rows[] = {LB_POOL_ROWS(struct octavia_pool, , 0)};
const struct params os_lb_pool_params = OS_PARAMS(struct octavia_pool, pool_rows);

static const struct param listener_rows[] = {LB_LISTENER_ROWS(struct octavia_listener, )};
const struct params os_lb_listener_params = OS_PARAMS(struct octavia_listener, listener_rows);

/* ---- words ---- */

RESULT os_lb_read_words(struct os_call *e, const struct strs *words, struct tags *ret_tags)
{
	return words ? os_read_words(e, *words, ret_tags) : OK;
}

RESULT os_lb_read_sources(struct os_call *e, struct strs texts, struct cidrs *ret_cidrs)
{
	struct cidr *at = arena_new_array(e->c->arena, struct cidr, texts.count + 1);
	if (!at)
		return ctx_no_memory(e->c);
	if (texts.count > LB_SOURCES_MAX)
		return ctx_fail_field(e->c, ERR_INVALID, STR("allowed_cidrs"),
				      "Invalid input for allowed_cidrs: up to %d blocks.", LB_SOURCES_MAX);
	for (size_t k = 0; k < texts.count; k++)
		if (!result_is_ok(cidr_parse(texts.at[k], &at[k])))
			return ctx_fail_field(
				e->c, ERR_INVALID, STR("allowed_cidrs"),
				"Invalid input for field/attribute allowed_cidrs. Value: '%" STR_FMT
				"'. Value should be IPv4 or IPv6 CIDR format",
				STR_ARG(str_slice(texts.at[k], 0, 64)));
	*ret_cidrs = (struct cidrs){at, texts.count};
	return OK;
}

RESULT os_lb_read_headers(struct os_call *e, struct tags given, struct strs *ret_headers)
{
	struct str *at = arena_new_array(e->c->arena, struct str, given.count + 1);
	if (!at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < given.count; k++)
		at[k] = str_print(e->c->arena, "%" STR_FMT "=%" STR_FMT, STR_ARG(given.at[k].key),
				  STR_ARG(given.at[k].value));
	*ret_headers = (struct strs){at, given.count};
	return OK;
}

/* ---- parts ---- */

RESULT os_lb_prepare_member(struct os_call *e, struct octavia_member *member)
{
	return os_read_words(e, member->words, &member->tags);
}

RESULT os_lb_prepare_members(struct os_call *e, struct octavia_members *members)
{
	for (size_t k = 0; k < members->count; k++)
		TRY(os_lb_prepare_member(e, &members->at[k]));
	return OK;
}

RESULT os_lb_read_version(struct os_call *e, struct str *version)
{
	if (str_is(*version, "null"))
		*version = STR_NONE;
	if (str_is(*version, "1.1000000000000001")) /* all digits of the number nearest to 1.1 */
		*version = STR("1.1");
	if (!version->n || str_is(*version, "1.0") || str_is(*version, "1.1"))
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, STR("http_version"),
			      "Invalid input for field/attribute http_version. Value: '%" STR_FMT
			      "'. Value should be one of: 1.0, 1.1",
			      STR_ARG(str_slice(*version, 0, 64)));
}

RESULT os_lb_prepare_monitor(struct os_call *e, struct octavia_monitor *monitor)
{
	TRY(os_lb_read_version(e, &monitor->version));
	return os_read_words(e, monitor->words, &monitor->tags);
}

RESULT os_lb_prepare_pool(struct os_call *e, struct octavia_pool *pool)
{
	TRY(os_lb_prepare_members(e, &pool->members));
	TRY(os_lb_prepare_monitor(e, &pool->monitor));
	return os_read_words(e, pool->words, &pool->tags);
}

RESULT os_lb_prepare_listener(struct os_call *e, struct octavia_listener *listener)
{
	TRY(os_lb_prepare_pool(e, &listener->pool));
	TRY(os_lb_read_sources(e, listener->allowed, &listener->sources));
	TRY(os_lb_read_headers(e, listener->given_headers, &listener->headers));
	TRY(os_lb_read_certificates(e, listener->tls_ref, &listener->sni_refs, &listener->certificates));
	for (size_t k = 0; k < listener->policies.count; k++)
		TRY(os_lb_prepare_policy(e, &listener->policies.at[k]));
	return os_read_words(e, listener->words, &listener->tags);
}

/* ---- ids of parts ---- */

static const struct attribute id_rows[] = {ATTRIBUTE(listener, "id", row.id)};
const struct attributes os_lb_id_members = ATTRIBUTES(id_rows);
