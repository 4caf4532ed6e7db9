/* SPDX-License-Identifier: Apache-2.0
 * ARNs of ELBv2, and tags of its resources. */
#include "base/crypto.h"
#include "engine/balancing/balancing.h"
#include "engine/balancing/balancing_internal.h"
#include "engine/balancing/octavia.h"
#include "engine/people/credential/acm_certificate.h"
#include "engine/region/region.h"
#include "engine/tag.h"
#include "store/elastic_load_balancer.h"
#include "store/l7_rule.h"
#include "store/listener.h"
#include "store/listener_rule.h"
#include "store/server_certificate.h"
#include "store/target.h"
#include "store/target_group.h"

bool engine_is_balancing_kind(enum kind kind)
{
	return kind == KIND_ELASTIC_LOAD_BALANCER || kind == KIND_LISTENER || kind == KIND_LISTENER_RULE ||
	       kind == KIND_TARGET_GROUP || kind == KIND_TARGET || kind == KIND_L7_RULE;
}

enum { ARN_ID_BYTES = 8 };

static struct str hex_of(struct arena *a, uuid id)
{
	return str_encode_hex(a, id.b, ARN_ID_BYTES);
}

static bool is_application(const struct elastic_load_balancer *b)
{
	return b->type == ELASTIC_LOAD_BALANCER_TYPE_APPLICATION;
}

static bool is_classic(const struct elastic_load_balancer *b)
{
	return b && b->type == ELASTIC_LOAD_BALANCER_TYPE_CLASSIC;
}

/* "net/NAME/ID", "app/NAME/ID", or the name of a Classic Load Balancer or a load balancer of Octavia, "octavia/ID". A policy
 * about loadbalancer/net/… must not match load balancers of Octavia. */
static struct str balancer_part(struct arena *a, const struct elastic_load_balancer *b)
{
	if (is_classic(b) || octavia_is_balancer(b))
		return b->name;
	return b ? str_print(a, "%s/%" STR_FMT "/%" STR_FMT, is_application(b) ? "app" : "net",
			     STR_ARG(b->name), STR_ARG(hex_of(a, b->row.id)))
		 : STR("*/*/*");
}

/* "BALANCER/ID" of a listener */
static struct str listener_part(const struct tables *t, struct arena *a, const struct listener *l)
{
	struct str balancer =
		balancer_part(a, l ? elastic_load_balancer_find(t, l->elastic_load_balancer) : NULL);
	struct str id = l ? hex_of(a, l->row.id) : STR("*");
	return str_print(a, "%" STR_FMT "/%" STR_FMT, STR_ARG(balancer), STR_ARG(id));
}

/* The Classic Load Balancer that the row is a part of, or NULL. */
static const struct elastic_load_balancer *find_classic(const struct tables *t, enum kind kind,
							const struct row *row)
{
	const struct target_group *g = !row                        ? NULL
				       : kind == KIND_TARGET_GROUP ? target_group_of(row)
				       : kind == KIND_TARGET
					       ? target_group_find(t, target_of(row)->target_group)
					       : NULL;
	const struct elastic_load_balancer *b =
		!row || kind == KIND_LISTENER_RULE ? NULL
		: g                                ? elastic_load_balancer_find(t, g->elastic_load_balancer)
		: kind == KIND_LISTENER
			? elastic_load_balancer_find(t, listener_of(row)->elastic_load_balancer)
		: kind == KIND_ELASTIC_LOAD_BALANCER ? elastic_load_balancer_of(row)
						     : NULL;
	return is_classic(b) ? b : NULL;
}

static struct str rule_part(const struct tables *t, struct arena *a, const struct listener_rule *r)
{
	struct str listener = listener_part(t, a, r ? listener_find(t, r->listener) : NULL);
	struct str id = r ? hex_of(a, r->row.id) : STR("*");
	return str_print(a, "listener-rule/%" STR_FMT "/%" STR_FMT, STR_ARG(listener), STR_ARG(id));
}

/* The part behind the account. A target has its group's, an L7 rule its policy's, and a part of a Classic Load Balancer the
 * balancer's. */
static struct str write_part(const struct tables *t, struct arena *a, enum kind kind, const struct row *row)
{
	const struct elastic_load_balancer *classic = find_classic(t, kind, row);
	if (classic)
		return str_print(a, "loadbalancer/%" STR_FMT, STR_ARG(classic->name));
	if (kind == KIND_ELASTIC_LOAD_BALANCER)
		return str_print(a, "loadbalancer/%" STR_FMT,
				 STR_ARG(balancer_part(a, elastic_load_balancer_of(row))));
	if (kind == KIND_LISTENER)
		return str_print(a, "listener/%" STR_FMT, STR_ARG(listener_part(t, a, listener_of(row))));
	if (kind == KIND_LISTENER_RULE)
		return rule_part(t, a, listener_rule_of(row));
	if (kind == KIND_L7_RULE)
		return rule_part(t, a, row ? listener_rule_find(t, l7_rule_of(row)->listener_rule) : NULL);
	const struct target_group *g = kind == KIND_TARGET_GROUP ? target_group_of(row)
				       : row ? target_group_find(t, target_of(row)->target_group)
					     : NULL;
	if (octavia_is_pool(g)) /* "octavia/ID" */
		return str_print(a, "targetgroup/%" STR_FMT, STR_ARG(g->name));
	return g ? str_print(a, "targetgroup/%" STR_FMT "/%" STR_FMT, STR_ARG(g->name),
			     STR_ARG(hex_of(a, g->row.id)))
		 : STR("targetgroup/*/*");
}

struct str engine_write_balancing_arn(const struct tables *t, struct arena *a, struct str region,
				      struct str account_number, enum kind kind, const struct row *row)
{
	return str_print(a, "arn:aws:elasticloadbalancing:%" STR_FMT ":%" STR_FMT ":%" STR_FMT,
			 STR_ARG(region), STR_ARG(account_number), STR_ARG(write_part(t, a, kind, row)));
}

struct str engine_write_certificate_arn(struct arena *a, struct str region, struct str account_number,
					const struct server_certificate *certificate)
{
	if (certificate->service == SERVER_CERTIFICATE_SERVICE_ACM)
		return engine_write_acm_arn(a, region, account_number, &certificate->row);
	return str_print(a, "arn:aws:iam::%" STR_FMT ":server-certificate%" STR_FMT "%" STR_FMT,
			 STR_ARG(account_number), STR_ARG(certificate->path), STR_ARG(certificate->name));
}

static struct str behind_last(struct str text, char separator)
{
	size_t at = text.n;
	while (at > 0 && text.p[at - 1] != separator)
		at--;
	return str_slice(text, at, text.n);
}

const struct row *engine_find_balancing_arn(const struct tables *t, const struct ctx *c, struct str region,
					    enum kind kind, struct str arn)
{
	uuid prefix = {0};
	const struct row *row = NULL;
	if (result_is_ok(str_decode_hex(behind_last(arn, '/'), prefix.b, ARN_ID_BYTES)))
		row = tables_find_prefix(t, kind, prefix, 8 * (unsigned) ARN_ID_BYTES);
	bool is_it =
		row && !find_classic(t, kind, row) && !engine_is_of_octavia(t, kind, row) &&
		uuid_equal(engine_get_owner(kind, row), c->who->account) &&
		str_equal(engine_write_balancing_arn(t, c->arena, region, c->who->account_number, kind, row),
			  arn);
	return is_it ? row : NULL;
}

/* ---- DNS ---- */

static struct str label_of(struct arena *a, const struct elastic_load_balancer *b)
{
	return str_print(a, "%" STR_FMT "-%" STR_FMT, STR_ARG(b->name), STR_ARG(hex_of(a, b->row.id)));
}

struct str engine_get_balancer_domain(const struct tables *t, struct arena *a)
{
	return str_print(a, "elb.%" STR_FMT ".internal", STR_ARG(engine_get_region_name(t)));
}

/* The order of the two labels is that of AWS: cloud-provider-aws tells a Classic Load Balancer by it. */
struct str engine_get_chosen_balancer_domain(const struct tables *t, struct arena *a, bool is_network)
{
	struct str domain = engine_get_setting(t, SETTING_BALANCERS_DOMAIN),
		   region = engine_get_region_name(t);
	if (str_is_empty(domain))
		return STR_NONE;
	return is_network ? str_print(a, "elb.%" STR_FMT ".%" STR_FMT, STR_ARG(region), STR_ARG(domain))
			  : str_print(a, "%" STR_FMT ".elb.%" STR_FMT, STR_ARG(region), STR_ARG(domain));
}

static struct str domain_of(const struct tables *t, struct arena *a, const struct elastic_load_balancer *b)
{
	struct str chosen =
		engine_get_chosen_balancer_domain(t, a, b->type == ELASTIC_LOAD_BALANCER_TYPE_NETWORK);
	return chosen.n ? chosen : engine_get_balancer_domain(t, a);
}

struct str engine_write_balancer_zone_id(const struct tables *t, struct arena *a,
					 const struct elastic_load_balancer *b)
{
	enum { DIGITS = 20 };
	static const char hex[] = "0123456789ABCDEF";
	uint8_t sum[SHA256_SIZE];
	char id[DIGITS + 2] = "Z";
	crypto_sha256(domain_of(t, a, b), sum);
	for (size_t k = 0; k < DIGITS; k++)
		id[k + 1] = hex[k % 2 ? sum[k / 2] & 15 : sum[k / 2] >> 4];
	return str_copy(a, str_from(id));
}

struct str engine_write_balancer_dns_name(const struct tables *t, struct arena *a,
					  const struct elastic_load_balancer *b)
{
	return str_print(a, "%" STR_FMT ".%" STR_FMT, STR_ARG(label_of(a, b)), STR_ARG(domain_of(t, a, b)));
}

const struct elastic_load_balancer *engine_find_balancer_label(const struct tables *t, struct str label)
{
	uuid prefix = {0};
	size_t digits = (size_t) 2 * ARN_ID_BYTES;
	if (label.n < digits + 2 || label.p[label.n - digits - 1] != '-' ||
	    !result_is_ok(
		    str_decode_hex(str_slice(label, label.n - digits, label.n), prefix.b, ARN_ID_BYTES)))
		return NULL;
	const struct elastic_load_balancer *b =
		elastic_load_balancer_find_prefix(t, prefix, 8 * (unsigned) ARN_ID_BYTES);
	return b && str_equal_nocase(b->name, str_slice(label, 0, label.n - digits - 1)) ? b : NULL;
}

/* ---- tags ---- */

RESULT engine_tag_balancing(struct op *op, struct balancing_tags *wish)
{
	for (size_t k = 0; k < wish->resources.count; k++) {
		struct entity_tags one = {.entity = wish->resources.at[k], .tags = wish->tags};
		TRY(engine_tag_entity(op, &one));
	}
	return OK;
}

RESULT engine_untag_balancing(struct op *op, struct balancing_tags *wish)
{
	for (size_t k = 0; k < wish->resources.count; k++) {
		struct entity_tags one = {.entity = wish->resources.at[k], .keys = wish->keys};
		TRY(engine_untag_entity(op, &one));
	}
	return OK;
}
