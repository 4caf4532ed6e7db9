/* SPDX-License-Identifier: Apache-2.0
 * Pools of Octavia's load balancers, and their health monitors. */
#include "engine/balancing/octavia_internal.h"
#include "engine/limits.h"
#include "engine/tag_internal.h"
#include "store/elastic_load_balancer.h"
#include "store/listener.h"
#include "store/proxy.h"
#include "store/rule_target_group.h"
#include "store/target_group.h"

RESULT octavia_permit_pool(struct op *op, const struct ref *ref, const char *permission,
			   const struct target_group **ret_group)
{
	TRY(engine_permit_target_group(op, ref, permission, ret_group));
	if (!octavia_is_pool(*ret_group))
		return engine_fail_not_found(op->ctx, KIND_TARGET_GROUP, ref);
	return octavia_check_ready(op,
				   elastic_load_balancer_find(op->head, (*ret_group)->elastic_load_balancer));
}

/* ---- words ---- */

static RESULT fail_word(struct op *op, const char *field, struct str word)
{
	return OCTAVIA_UNSUPPORTED(op, str_from(field), "%" STR_FMT " is not supported for %s.",
				   STR_ARG(word), field);
}

static RESULT find_protocol(struct op *op, struct str word, enum target_group_protocol *ret_protocol)
{
	static const struct {
		const char *word;
		enum target_group_protocol protocol;
	} protocols[] = {
		{"TCP", TARGET_GROUP_PROTOCOL_TCP},         {"HTTP", TARGET_GROUP_PROTOCOL_HTTP},
		{"HTTPS", TARGET_GROUP_PROTOCOL_HTTPS},     {"PROXY", TARGET_GROUP_PROTOCOL_PROXY},
		{"PROXYV2", TARGET_GROUP_PROTOCOL_PROXYV2},
	};
	for (size_t k = 0; k < sizeof protocols / sizeof protocols[0]; k++)
		if (str_is(word, protocols[k].word)) {
			*ret_protocol = protocols[k].protocol;
			return OK;
		}
	return fail_word(op, "protocol", word);
}

static RESULT find_algorithm(struct op *op, struct str word, enum target_group_algorithm *ret_algorithm)
{
	if (str_is(word, "ROUND_ROBIN"))
		*ret_algorithm = TARGET_GROUP_ALGORITHM_ROUND_ROBIN;
	else if (str_is(word, "LEAST_CONNECTIONS"))
		*ret_algorithm = TARGET_GROUP_ALGORITHM_LEAST_OUTSTANDING_REQUESTS;
	else if (str_is(word, "SOURCE_IP"))
		*ret_algorithm = TARGET_GROUP_ALGORITHM_SOURCE_IP;
	else
		return fail_word(op, "lb_algorithm", word);
	return OK;
}

/* A cookie's name is a token of RFC 6265. Characters that HAProxy's configuration gives a meaning are left out. */
static bool is_cookie(struct str name)
{
	for (size_t k = 0; k < name.n; k++)
		if (!str_is_alphanumeric(name.p[k]) && name.p[k] != '-' && name.p[k] != '_' &&
		    name.p[k] != '.')
			return false;
	return name.n > 0;
}

static RESULT set_persistence(struct op *op, const struct octavia_persistence *wish,
			      struct target_group *group)
{
	bool is_app = str_is(wish->type, "APP_COOKIE"), is_http = str_is(wish->type, "HTTP_COOKIE");
	group->persistence = is_app         ? TARGET_GROUP_PERSISTENCE_APP_COOKIE
			     : is_http      ? TARGET_GROUP_PERSISTENCE_HTTP_COOKIE
			     : wish->type.n ? TARGET_GROUP_PERSISTENCE_SOURCE_IP
					    : TARGET_GROUP_PERSISTENCE_NONE;
	group->cookie = wish->cookie;
	if (is_app && !is_cookie(wish->cookie))
		return OCTAVIA_INVALID(op, STR("cookie_name"),
				       "Invalid input for cookie_name. APP_COOKIE needs a name of letters, "
				       "digits, '-', '_' and '.'.");
	if (!is_app && wish->cookie.n)
		return OCTAVIA_INVALID(op, STR("cookie_name"),
				       "Validation failure: Field 'cookie_name' can not be specified with "
				       "session persistence of type '%" STR_FMT "'.",
				       STR_ARG(wish->type));
	if ((is_app || is_http) && group->protocol != TARGET_GROUP_PROTOCOL_HTTP)
		return OCTAVIA_UNSUPPORTED(op, STR("session_persistence"),
					   "Session persistence by cookies needs a pool of protocol HTTP.");
	return OK;
}

/* ---- monitors ---- */

static RESULT check_times(struct op *op, const struct target_group *g)
{
	return g->interval_s >= 1 && g->timeout_s >= 1
		       ? OK
		       : OCTAVIA_UNSUPPORTED(op, STR("delay"), "delay and timeout must be 1 or more.");
}

static bool is_http_check(const struct target_group *g)
{
	return g->check_protocol == TARGET_GROUP_CHECK_PROTOCOL_HTTP ||
	       g->check_protocol == TARGET_GROUP_CHECK_PROTOCOL_HTTPS;
}

static RESULT set_type(struct op *op, struct str word, struct target_group *g)
{
	if (str_is(word, "HTTP"))
		g->check_protocol = TARGET_GROUP_CHECK_PROTOCOL_HTTP;
	else if (str_is(word, "HTTPS"))
		g->check_protocol = TARGET_GROUP_CHECK_PROTOCOL_HTTPS;
	else if (str_is(word, "TLS-HELLO"))
		g->check_protocol = TARGET_GROUP_CHECK_PROTOCOL_SSL;
	else if (str_is(word, "TCP"))
		g->check_protocol = TARGET_GROUP_CHECK_PROTOCOL_TCP;
	else
		return fail_word(op, "type", word);
	return OK;
}

/* Statuses are separated by commas, and have no other meaning for HAProxy. */
static bool is_codes(struct str codes)
{
	for (size_t k = 0; k < codes.n; k++)
		if ((codes.p[k] < '0' || codes.p[k] > '9') && codes.p[k] != ',' && codes.p[k] != '-' &&
		    codes.p[k] != ' ')
			return false;
	return codes.n > 0;
}

static RESULT check_request(struct op *op, const struct target_group *g, bool names_any)
{
	if (!is_http_check(g))
		return names_any ? OCTAVIA_INVALID(op, STR("http_method"),
						   "Validation failure: http_method, url_path, "
						   "expected_codes, http_version and domain_name are of "
						   "HTTP and HTTPS health monitors.")
				 : OK;
	if (g->check_path.n < 1 || g->check_path.p[0] != '/' || str_contains(g->check_path, STR("://")))
		return OCTAVIA_INVALID(op, STR("url_path"), "Not a valid URLPath: %" STR_FMT,
				       STR_ARG(str_slice(g->check_path, 0, 64)));
	for (size_t k = 0; k < g->check_path.n; k++)
		if ((unsigned char) g->check_path.p[k] <= ' ' || g->check_path.p[k] == 127)
			return OCTAVIA_INVALID(op, STR("url_path"),
					       "Not a valid URLPath: spaces need an escape");
	if (!is_codes(g->matcher))
		return OCTAVIA_INVALID(op, STR("expected_codes"),
				       "Invalid input for field/attribute expected_codes. Value: '%" STR_FMT
				       "'.",
				       STR_ARG(str_slice(g->matcher, 0, 64)));
	if (g->check_host.n && !str_is(g->check_version, "1.1"))
		return OCTAVIA_INVALID(
			op, STR("domain_name"),
			"Validation failure: The domain_name field requires http_version 1.1.");
	return OK;
}

static struct str or_default(struct str given, bool is_http, const char *otherwise)
{
	return given.n || !is_http ? given : str_from(otherwise);
}

static RESULT set_monitor(struct op *op, const struct octavia_monitor *wish, int64_t gen,
			  struct target_group *g)
{
	bool names_any = wish->method.n || wish->path.n || wish->codes.n || wish->version.n || wish->host.n;
	TRY(set_type(op, wish->type, g));
	bool is_http = is_http_check(g);
	g->has_monitor = true;
	g->monitor_title = wish->name;
	g->monitor_is_down = wish->is_down;
	g->interval_s = wish->delay;
	g->timeout_s = wish->timeout;
	g->healthy_threshold = wish->max_retries;
	g->unhealthy_threshold = wish->max_retries_down;
	g->check_method = or_default(wish->method, is_http, "GET");
	g->check_path = or_default(wish->path, is_http, "/");
	g->matcher = or_default(wish->codes, is_http, "200");
	g->check_version = or_default(wish->version, is_http, "1.0");
	g->check_host = wish->host;
	g->monitor_created_us = op->now_us;
	g->monitor_updated_us = 0;
	g->monitor_gen = gen;
	TRY(tag_normalize(op, wish->tags, &g->monitor_tags));
	TRY(check_times(op, g));
	return check_request(op, g, names_any);
}

RESULT engine_create_octavia_monitor(struct op *op, struct octavia_monitor_wish *wish)
{
	const struct target_group *present = NULL;
	int64_t gen = 0;
	TRY(octavia_permit_pool(op, &wish->pool, "target_group.update", &present));
	if (present->has_monitor)
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_TARGET_GROUP, STR("pool_id"),
				   "This pool already has a health monitor");
	struct target_group next = *present;
	TRY(octavia_touch(op, next.elastic_load_balancer, &gen));
	TRY(set_monitor(op, &wish->monitor, gen, &next));
	next.row.gen++;
	next.proxy_gen = gen;
	TRY(target_group_put(op, &next));
	wish->made = next.row.id;
	return engine_log_event(op, KIND_TARGET_GROUP, &next.row, "changed", "Health monitor created.");
}

static RESULT permit_monitor(struct op *op, const struct ref *ref, const struct target_group **ret_group)
{
	TRY(octavia_permit_pool(op, ref, "target_group.update", ret_group));
	return (*ret_group)->has_monitor ? OK : engine_fail_not_found(op->ctx, KIND_TARGET_GROUP, ref);
}

static void apply_monitor(const struct octavia_monitor_change *wish, struct target_group *g)
{
	bool is_http = is_http_check(g);
	choice_apply(wish->is_down, &g->monitor_is_down);
	if (wish->name)
		g->monitor_title = *wish->name;
	if (wish->delay)
		g->interval_s = *wish->delay;
	if (wish->timeout)
		g->timeout_s = *wish->timeout;
	if (wish->max_retries)
		g->healthy_threshold = *wish->max_retries;
	if (wish->max_retries_down)
		g->unhealthy_threshold = *wish->max_retries_down;
	if (wish->method)
		g->check_method = or_default(*wish->method, is_http, "GET");
	if (wish->path)
		g->check_path = or_default(*wish->path, is_http, "/");
	if (wish->codes)
		g->matcher = or_default(*wish->codes, is_http, "200");
	if (wish->version)
		g->check_version = or_default(*wish->version, is_http, "1.0");
	if (wish->host)
		g->check_host = *wish->host;
}

RESULT engine_change_octavia_monitor(struct op *op, struct octavia_monitor_change *wish)
{
	const struct target_group *present = NULL;
	TRY(permit_monitor(op, &wish->monitor, &present));
	struct target_group next = *present;
	apply_monitor(wish, &next);
	if (wish->words)
		TRY(tag_normalize(op, wish->tags, &next.monitor_tags));
	TRY(check_times(op, &next));
	TRY(check_request(op, &next,
			  next.check_method.n || next.check_path.n || next.matcher.n ||
				  next.check_version.n || next.check_host.n));
	next.row.gen++;
	next.monitor_updated_us = op->now_us;
	TRY(octavia_touch(op, next.elastic_load_balancer, &next.monitor_gen));
	next.proxy_gen = next.monitor_gen;
	TRY(target_group_put(op, &next));
	return engine_log_event(op, KIND_TARGET_GROUP, &next.row, "changed", "Health monitor changed.");
}

RESULT engine_delete_octavia_monitor(struct op *op, struct octavia_monitor_target *wish)
{
	const struct target_group *present = NULL;
	TRY(permit_monitor(op, &wish->monitor, &present));
	struct target_group next = *present;
	next.has_monitor = next.monitor_is_down = false;
	next.monitor_title = next.check_method = next.check_path = next.matcher = STR_NONE;
	next.check_version = next.check_host = STR_NONE;
	next.monitor_tags = (struct tags){0};
	next.row.gen++;
	TRY(octavia_touch(op, next.elastic_load_balancer, &next.proxy_gen));
	TRY(target_group_put(op, &next));
	return engine_log_event(op, KIND_TARGET_GROUP, &next.row, "changed", "Health monitor deleted.");
}

/* ---- pools ---- */

RESULT octavia_put_pool(struct op *op, const struct elastic_load_balancer *b, const struct octavia_pool *wish,
			int64_t gen, uuid *ret_pool)
{
	uuid member;
	struct target_group made = {.row = {.id = engine_new_id(op, KIND_TARGET_GROUP), .gen = 1},
				    .account = b->account,
				    .elastic_load_balancer = b->row.id,
				    .title = wish->name,
				    .description = wish->description,
				    .is_down = wish->is_down,
				    .is_tls = wish->is_tls,
				    .target_type = TARGET_GROUP_TARGET_TYPE_IP,
				    .proxy_gen = gen};
	/* No name of ELBv2 has such a character. */
	made.name = str_print(op->ctx->arena, "octavia/%" STR_FMT,
			      STR_ARG(str_encode_hex(op->ctx->arena, made.row.id.b, 8)));
	if (!wish->protocol.n || !wish->algorithm.n)
		return OCTAVIA_INVALID(op, STR("pools"), "Missing details for Pool object: %" STR_FMT,
				       STR_ARG(wish->name));
	TRY(find_protocol(op, wish->protocol, &made.protocol));
	TRY(find_algorithm(op, wish->algorithm, &made.algorithm));
	TRY(set_persistence(op, &wish->persistence, &made));
	TRY(tag_normalize(op, wish->tags, &made.tags));
	if (wish->monitor.type.n)
		TRY(set_monitor(op, &wish->monitor, gen, &made));
	TRY(engine_permit_new(op, "target_group.create", KIND_TARGET_GROUP, &made.row));
	TRY(limit_check(op, LIMIT_TARGET_GROUPS, b->account, 1, STR_NONE));
	TRY(target_group_put(op, &made));
	*ret_pool = made.row.id;
	if (wish->members.count)
		TRY(engine_permit(op, "target_group.register", KIND_TARGET_GROUP,
				  &target_group_find(op->head, made.row.id)->row));
	for (size_t k = 0; k < wish->members.count; k++)
		TRY(octavia_put_member(op, target_group_find(op->head, made.row.id), &wish->members.at[k],
				       gen, &member));
	return engine_log_event(op, KIND_TARGET_GROUP, &made.row, "created", "Target group %" STR_FMT ".",
				STR_ARG(made.title));
}

/* The listener gets the new pool as its default. */
static RESULT lead_to(struct op *op, const struct listener *present, uuid pool, int64_t gen)
{
	struct listener next = *present;
	TRY(octavia_check_protocols(op, next.protocol, target_group_find(op->head, pool)));
	next.target_group = pool;
	next.proxy_gen = gen;
	next.row.gen++;
	return listener_put(op, &next);
}

static RESULT find_listener(struct op *op, const struct octavia_pool_wish *wish,
			    const struct listener **ret_listener)
{
	if (!ref_is_given(&wish->listener))
		return OK;
	TRY(engine_find_own_listener(op->ctx, op->head, &wish->listener, ret_listener));
	if (uuid_is_none((*ret_listener)->target_group))
		return OK;
	return ENGINE_FAIL(op, ERR_EXISTS, KIND_LISTENER, STR("listener_id"),
			   "This listener already has a default pool");
}

RESULT engine_create_octavia_pool(struct op *op, struct octavia_pool_wish *wish)
{
	const struct elastic_load_balancer *b = NULL;
	const struct listener *listener = NULL;
	int64_t gen = 0;
	TRY(find_listener(op, wish, &listener));
	const struct ref of_listener =
		listener ? ref_by_id(KIND_ELASTIC_LOAD_BALANCER, listener->elastic_load_balancer)
			 : wish->balancer;
	if (!ref_is_given(&of_listener))
		return OCTAVIA_INVALID(op, STR("loadbalancer_id"),
				       "Validation failure: Must provide at least one of: loadbalancer_id, "
				       "listener_id");
	TRY(engine_find_own_elastic_load_balancer(op->ctx, op->head, &of_listener, &b));
	if (!octavia_is_balancer(b))
		return engine_fail_not_found(op->ctx, KIND_ELASTIC_LOAD_BALANCER, &of_listener);
	TRY(octavia_check_ready(op, b));
	TRY(octavia_touch(op, b->row.id, &gen));
	TRY(octavia_put_pool(op, b, &wish->pool, gen, &wish->made));
	return listener ? lead_to(op, listener, wish->made, gen) : OK;
}

RESULT engine_change_octavia_pool(struct op *op, struct octavia_pool_change *wish)
{
	const struct target_group *present = NULL;
	TRY(octavia_permit_pool(op, &wish->pool, "target_group.update", &present));
	struct target_group next = *present;
	if (wish->name)
		next.title = *wish->name;
	if (wish->description)
		next.description = *wish->description;
	choice_apply(wish->is_down, &next.is_down);
	choice_apply(wish->is_tls, &next.is_tls);
	if (wish->algorithm.n)
		TRY(find_algorithm(op, wish->algorithm, &next.algorithm));
	if (wish->sets_persistence)
		TRY(set_persistence(op, &wish->persistence, &next));
	if (wish->words)
		TRY(tag_normalize(op, wish->tags, &next.tags));
	next.row.gen++;
	TRY(octavia_touch(op, next.elastic_load_balancer, &next.proxy_gen));
	TRY(target_group_put(op, &next));
	return engine_log_event(op, KIND_TARGET_GROUP, &next.row, "changed", "Target group %" STR_FMT ".",
				STR_ARG(next.title));
}

RESULT engine_delete_octavia_pool(struct op *op, struct octavia_pool_target *wish)
{
	const struct target_group *group = NULL;
	int64_t gen = 0;
	TRY(octavia_permit_pool(op, &wish->pool, "target_group.delete", &group));
	uuid id = group->row.id, balancer = group->elastic_load_balancer;
	const struct rule_target_group *use = rule_target_group_first_by_target_group(op->head, id);
	if (use)
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_TARGET_GROUP, wish->pool.field,
				   "Pool %" STR_FMT " is in use by L7 policy %" STR_FMT,
				   STR_ARG(uuid_to_str(op->ctx->arena, id)),
				   STR_ARG(uuid_to_str(op->ctx->arena, use->listener_rule)));
	TRY(octavia_touch(op, balancer, &gen));
	for (const struct listener *l = listener_first_by_target_group(op->head, id); l;
	     l = listener_first_by_target_group(op->head, id)) {
		struct listener next = *l;
		next.target_group = UUID_NONE;
		next.proxy_gen = gen;
		next.row.gen++;
		TRY(listener_put(op, &next));
	}
	TRY(engine_log_event(op, KIND_TARGET_GROUP, &group->row, "deleted", "Target group %" STR_FMT ".",
			     STR_ARG(group->title)));
	return target_group_forget(op, id);
}
