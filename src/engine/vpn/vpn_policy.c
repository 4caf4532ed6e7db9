/* SPDX-License-Identifier: Apache-2.0
 * IKE and IPsec policies of Neutron's VPNaaS: rows only. As in Neutron, a policy that a connection names does not change. */
#include "engine/acting.h"
#include "engine/limits.h"
#include "engine/vpn/vpn_internal.h"
#include "engine/vpn/vpnaas.h"
#include "store/ike_policy.h"
#include "store/ipsec_policy.h"
#include "store/vpn_connection.h"

/* Fields that both kinds have. */
struct proposal {
	struct str *name, *description, *auth, *encryption, *pfs;
	int64_t *lifetime_s;
};
#define PROPOSAL_OF(row)                                                                                     \
	(struct proposal)                                                                                    \
	{                                                                                                    \
		&(row)->name, &(row)->description, &(row)->auth, &(row)->encryption, &(row)->pfs,            \
			&(row)->lifetime_s                                                                   \
	}

static void set_text(const struct str *from, struct str *to)
{
	if (from)
		*to = *from;
}

static void set(struct proposal to, const struct vpn_policy_settings *from)
{
	set_text(from->name, to.name);
	set_text(from->description, to.description);
	set_text(from->auth, to.auth);
	set_text(from->encryption, to.encryption);
	set_text(from->pfs, to.pfs);
	if (from->lifetime_s)
		*to.lifetime_s = from->lifetime_s;
}

/* Defaults of neutron_lib.api.definitions.vpn. */
static void set_defaults(struct proposal to)
{
	*to.auth = STR("sha1");
	*to.encryption = STR("aes-128");
	*to.pfs = STR("group5");
	*to.lifetime_s = VPN_LIFETIME_S;
}

static void set_ike(struct ike_policy *to, const struct vpn_policy_settings *from)
{
	set(PROPOSAL_OF(to), from);
	if (from->version)
		to->is_v2 = str_is(*from->version, "v2");
	if (from->mode)
		to->is_aggressive = str_is(*from->mode, "aggressive");
}

RESULT engine_create_ike_policy(struct op *op, struct vpn_policy_wish *wish)
{
	struct ike_policy made = {.row = {.id = engine_new_id(op, KIND_IKE_POLICY), .gen = 1}};
	TRY(engine_find_owner_id(op, &wish->account, &made.account));
	TRY(engine_permit_new(op, "ike_policy.create", KIND_IKE_POLICY, &made.row));
	TRY(limit_check(op, LIMIT_IKE_POLICIES, made.account, 1, STR_NONE));
	set_defaults(PROPOSAL_OF(&made));
	set_ike(&made, &wish->set);
	TRY(ike_policy_put(op, &made));
	wish->made = made.row.id;
	return engine_log_event(op, KIND_IKE_POLICY, &made.row, "created", "IKE policy.");
}

RESULT engine_create_ipsec_policy(struct op *op, struct vpn_policy_wish *wish)
{
	struct ipsec_policy made = {.row = {.id = engine_new_id(op, KIND_IPSEC_POLICY), .gen = 1}};
	TRY(engine_find_owner_id(op, &wish->account, &made.account));
	TRY(engine_permit_new(op, "ipsec_policy.create", KIND_IPSEC_POLICY, &made.row));
	TRY(limit_check(op, LIMIT_IPSEC_POLICIES, made.account, 1, STR_NONE));
	set_defaults(PROPOSAL_OF(&made));
	set(PROPOSAL_OF(&made), &wish->set);
	TRY(ipsec_policy_put(op, &made));
	wish->made = made.row.id;
	return engine_log_event(op, KIND_IPSEC_POLICY, &made.row, "created", "IPsec policy.");
}

/* ---- use ---- */

/* A deleted connection has let go of its policies. */
static RESULT check_ike_unused(struct op *op, const struct ike_policy *p)
{
	if (!vpn_connection_first_by_ike_policy(op->head, p->row.id))
		return OK;
	return ENGINE_FAIL(op, ERR_IN_USE, KIND_IKE_POLICY, STR("ikepolicy_id"),
			   "IKEPolicy %" STR_FMT
			   " is in use by existing IPsecSiteConnection and can't be updated or deleted",
			   STR_ARG(engine_write_id(op, KIND_IKE_POLICY, p->row.id)));
}

static RESULT check_ipsec_unused(struct op *op, const struct ipsec_policy *p)
{
	if (!vpn_connection_first_by_ipsec_policy(op->head, p->row.id))
		return OK;
	return ENGINE_FAIL(op, ERR_IN_USE, KIND_IPSEC_POLICY, STR("ipsecpolicy_id"),
			   "IPsecPolicy %" STR_FMT
			   " is in use by existing IPsecSiteConnection and can't be updated or deleted",
			   STR_ARG(engine_write_id(op, KIND_IPSEC_POLICY, p->row.id)));
}

RESULT engine_update_ike_policy(struct op *op, struct vpn_policy_wish *wish)
{
	const struct ike_policy *p = NULL;
	TRY(engine_permit_ike_policy(op, &wish->policy, "ike_policy.update", &p));
	TRY(check_ike_unused(op, p));
	struct ike_policy next = *p;
	set_ike(&next, &wish->set);
	next.row.gen++;
	TRY(ike_policy_put(op, &next));
	wish->made = next.row.id;
	return engine_log_event(op, KIND_IKE_POLICY, &next.row, "changed", "IKE policy.");
}

RESULT engine_update_ipsec_policy(struct op *op, struct vpn_policy_wish *wish)
{
	const struct ipsec_policy *p = NULL;
	TRY(engine_permit_ipsec_policy(op, &wish->policy, "ipsec_policy.update", &p));
	TRY(check_ipsec_unused(op, p));
	struct ipsec_policy next = *p;
	set(PROPOSAL_OF(&next), &wish->set);
	next.row.gen++;
	TRY(ipsec_policy_put(op, &next));
	wish->made = next.row.id;
	return engine_log_event(op, KIND_IPSEC_POLICY, &next.row, "changed", "IPsec policy.");
}

RESULT engine_delete_ike_policy(struct op *op, struct vpn_policy_target *wish)
{
	const struct ike_policy *p = NULL;
	TRY(engine_permit_ike_policy(op, &wish->policy, "ike_policy.delete", &p));
	TRY(check_ike_unused(op, p));
	TRY(engine_log_event(op, KIND_IKE_POLICY, &p->row, "deleted", "IKE policy."));
	return ike_policy_forget(op, p->row.id);
}

RESULT engine_delete_ipsec_policy(struct op *op, struct vpn_policy_target *wish)
{
	const struct ipsec_policy *p = NULL;
	TRY(engine_permit_ipsec_policy(op, &wish->policy, "ipsec_policy.delete", &p));
	TRY(check_ipsec_unused(op, p));
	TRY(engine_log_event(op, KIND_IPSEC_POLICY, &p->row, "deleted", "IPsec policy."));
	return ipsec_policy_forget(op, p->row.id);
}
