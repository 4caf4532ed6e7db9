/* SPDX-License-Identifier: Apache-2.0
 * Names of Classic Load Balancers, and words that several answers have. */
#include "api/elb/classic/internal.h"
#include "engine/resolve.h"
#include "model/id.h"
#include "store/elastic_load_balancer.h"

RESULT classic_find(struct elb_call *e, struct str name, struct ref *ret_ref)
{
	const struct elastic_load_balancer *b =
		elastic_load_balancer_find_by_account(elb_tables(e), e->c->who->account, name);
	*ret_ref = (struct ref){.kind = KIND_ELASTIC_LOAD_BALANCER,
				.text = name,
				.field = STR("LoadBalancerName"),
				.bits = 8 * sizeof(uuid)};
	if (!b || b->type != ELASTIC_LOAD_BALANCER_TYPE_CLASSIC)
		return engine_fail_not_found(e->c, KIND_ELASTIC_LOAD_BALANCER, ret_ref);
	ret_ref->prefix = b->row.id;
	return OK;
}

const struct elastic_load_balancer *classic_row(struct elb_call *e, const struct ref *ref)
{
	return elastic_load_balancer_find(elb_tables(e), ref->prefix);
}

RESULT classic_read_protocol(struct elb_call *e, struct str word, const char *field,
			     enum balancing_protocol *ret_protocol)
{
	static const struct {
		const char *word;
		enum balancing_protocol protocol;
	} words[] = {{"HTTP", BALANCING_HTTP},
		     {"HTTPS", BALANCING_HTTPS},
		     {"TCP", BALANCING_TCP},
		     {"SSL", BALANCING_SSL}};
	for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
		if (str_equal_nocase(word, str_from(words[k].word))) {
			*ret_protocol = words[k].protocol;
			return OK;
		}
	return ctx_fail_field(e->c, ERR_INVALID, str_from(field),
			      "Protocol '%" STR_FMT "' must be one of HTTP, HTTPS, TCP and SSL",
			      STR_ARG(word));
}

void classic_write_ids(struct elb_call *e, struct xml *x, const char *list, enum kind kind,
		       const struct uuids *ids)
{
	xml_open(x, list);
	for (size_t k = 0; k < ids->count; k++)
		xml_text(x, "member", id_to_ec2(e->c->arena, kind, ids->at[k]));
	xml_close(x, list);
}
