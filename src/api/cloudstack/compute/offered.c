/* SPDX-License-Identifier: Apache-2.0
 * Offerings limited to zones and domains. Source: DomainChecker and AccountManagerImpl.checkAccess of 4.18,
 * and the commands that change offerings.
 */
#include "engine/region/offered.h"
#include "api/cloudstack/compute/compute.h"
#include "auth/key/cloudstack_signature.h"
#include "base/uuid_asked.h"
#include "engine/resolve.h"
#include "store/account.h"
#include "store/domain.h"
#include "store/instance_type.h"
#include "store/network_offering.h"
#include "store/volume_type.h"
#include "store/zone.h"

struct offered {
	const char *what;
	struct str name;
	const struct uuids *zones, *domains;
};

#define OFFERED(word, type)                                                                                  \
	(struct offered)                                                                                     \
	{                                                                                                    \
		word, type##_of(row)->name, &type##_of(row)->zones, &type##_of(row)->domains                 \
	}
static struct offered offered_of(const struct row *row)
{
	return row->kind == KIND_INSTANCE_TYPE ? OFFERED("Service", instance_type)
	       : row->kind == KIND_VOLUME_TYPE ? OFFERED("Disk", volume_type)
					       : OFFERED("Network", network_offering);
}

/* ---- they are named ---- */

/* Reads ids. A single word stands for all. */
static RESULT take_ids(struct cs_call *e, enum kind kind, const struct strs *texts, const char *all,
		       const char *what, struct refs *ret_refs)
{
	bool is_all = texts->count == 1 && str_is(str_trim(texts->at[0]), all);
	struct ref *refs = arena_new_array(e->c->arena, struct ref, texts->count + 1);
	if (!refs)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < texts->count && !is_all; k++) {
		uuid id;
		const char *field = kind == KIND_ZONE ? "zoneid" : "domainid";
		bool is_id = result_is_ok(uuid_parse_asked(str_trim(texts->at[k]), &id));
		const struct row *row = is_id ? tables_find(cs_tables(e), kind, id) : NULL;
		if (!row || !row_is_live(row))
			return cs_fail(e, field, "Failed to create %s because invalid %s has been specified.",
				       what, kind == KIND_ZONE ? "zone" : "domain");
		refs[k] = cs_ref_of(e->c, kind, id, field);
	}
	*ret_refs = (struct refs){refs, is_all ? 0 : texts->count};
	return OK;
}

RESULT cs_take_offered(struct cs_call *e, const struct cs_offered *asked, const char *what,
		       struct offered_wish *ret_wish)
{
	ret_wish->set_zones = asked->zones.count > 0;
	ret_wish->set_domains = asked->domains.count > 0;
	TRY(take_ids(e, KIND_ZONE, &asked->zones, "all", what, &ret_wish->zones));
	return take_ids(e, KIND_DOMAIN, &asked->domains, "public", what, &ret_wish->domains);
}

/* ---- they are shown ---- */

/* Writes ids and names, separated by commas. */
static void write_list(struct api_call *e, struct json_writer *w, enum kind kind, const struct uuids *ids)
{
	struct arena *a = e->c->arena;
	struct str all = STR(""), names = STR("");
	for (size_t k = 0; k < ids->count; k++) {
		const struct row *row = tables_find(api_tables(e), kind, ids->at[k]);
		struct str name = !row                  ? STR_NONE
				  : kind == KIND_DOMAIN ? cs_domain_name(domain_of(row))
							: zone_of(row)->name;
		const char *comma = k ? "," : "";
		all = str_print(a, "%" STR_FMT "%s%" STR_FMT, STR_ARG(all), comma,
				STR_ARG(uuid_to_str(a, ids->at[k])));
		names = str_print(a, "%" STR_FMT "%s%" STR_FMT, STR_ARG(names), comma, STR_ARG(name));
	}
	if (!ids->count)
		return;
	json_write_text(w, kind == KIND_DOMAIN ? "domainid" : "zoneid", all);
	json_write_text(w, kind == KIND_DOMAIN ? "domain" : "zone", names);
}

void cs_write_offered(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct offered o = offered_of(row);
	(void) name;
	write_list(e, w, KIND_DOMAIN, o.domains);
	write_list(e, w, KIND_ZONE, o.zones);
}

/* An offering without domains fits every domain, one without zones every zone. */
bool cs_fits_offered(const struct row *row, const struct ref *zone, const struct ref *domain)
{
	const struct offered o = offered_of(row);
	return (!ref_is_given(zone) || engine_is_offered_in(o.zones, zone->prefix)) &&
	       (!ref_is_given(domain) || !o.domains->count || uuids_have(o.domains, domain->prefix));
}

/* ---- they are used ---- */

RESULT cs_check_offered(struct cs_call *e, const struct ref *offering, uuid zone)
{
	const struct identity *who = e->c->who;
	const struct row *row = tables_find(cs_tables(e), offering->kind, offering->prefix);
	const struct account *account = account_find(cs_tables(e), who->account);
	if (!ref_is_given(offering) || !row || !row_is_live(row))
		return OK; /* the engine reports the fault */
	const struct offered o = offered_of(row);
	/* An administrator who acts for another account uses what is offered to that account. */
	bool is_for_another = cloudstack_find_value(&e->pairs, "account").n;
	bool is_offered =
		is_for_another ? engine_is_offered_to(who, o.domains) : engine_is_offered(e->c, o.domains);
	if (is_offered && (uuid_is_none(zone) || engine_is_offered_in(o.zones, zone)))
		return OK;
	/* without the row numbers that CloudStack writes; the form for disk and network offerings is guessed */
	return ctx_fail_field(
		e->c, ERR_DENIED, offering->field,
		"There's no way to confirm Account [{\"accountName\":\"%" STR_FMT "\",\"uuid\":\"%" STR_FMT
		"\"}] has access to %s offering {\"name\": \"%" STR_FMT "\", \"uuid\": \"%" STR_FMT "\"}",
		STR_ARG(account ? account->name : STR_NONE), STR_ARG(uuid_to_str(e->c->arena, who->account)),
		o.what, STR_ARG(o.name), STR_ARG(uuid_to_str(e->c->arena, row->id)));
}
