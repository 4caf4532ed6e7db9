/* SPDX-License-Identifier: Apache-2.0
 * Refusals and warnings of migrations from this region to a cloud elsewhere. Reads rows, changes none. */
#include "engine/instance/instance.h"
#include "engine/remote/migration_internal.h"
#include "model/licence.h"
#include "model/states.h"
#include "store/instance.h"
#include "store/provider.h"
#include "store/remote_resource.h"

/* ---- the guest ---- */

static RESULT weigh_guest(struct weighing *w, const struct instance *i)
{
	if (i->tpm)
		REFUSE(w, "tpm: the guest has a virtual TPM, whose state does not move. Launch the instance "
			  "anew "
			  "from an image without TPM support, after suspending what is sealed to it, such as "
			  "BitLocker.");
	if (i->secure_boot)
		REFUSE(w,
		       "secure_boot: the guest's UEFI variables do not move, and without them its boot "
		       "loader "
		       "would not be trusted. Launch the instance anew from an image without secure boot.");
	if (engine_find_medium(w->tables, i->row.id))
		REFUSE(w, "cdrom: there is a medium in the CD-ROM drive. Eject it.");
	if (i->platform == INSTANCE_PLATFORM_WINDOWS)
		WARN(w, "platform: Windows is not converted. It starts there only if the drivers of the "
			"cloud are "
			"installed before.");
	if (i->user_data.n)
		WARN(w, "user_data: user data stay here. What cloud-init has done is on the disk.");
	return OK;
}

/* An included licence belongs to this region's price, so it ends here; a customer's own subscription goes along. */
static RESULT weigh_licences(struct weighing *w, const struct instance *i)
{
	for (size_t k = 0; k < i->licences.count; k++) {
		struct licence licence;
		if (!licence_read(i->licences.at[k], &licence))
			continue;
		const struct product_info *info = product_info_find(licence.product);
		struct str title = info ? str_from(info->title) : licence.product;
		WARN(w, "licences: %" STR_FMT " %s.", STR_ARG(title),
		     licence.source == LICENCE_BYOS
			     ? "goes along with the customer's own subscription, which is not counted here "
			       "from "
			       "the cutover on"
			     : "is included in this region's price, and ends here: it needs a licence there");
	}
	return OK;
}

/* ---- what keeps it from being stopped ---- */

static RESULT weigh_stop(struct weighing *w, const struct instance *i)
{
	enum instance_state state = model_derive_instance_state(i);
	bool is_fit = state == INSTANCE_RUNNING || state == INSTANCE_STOPPED || state == INSTANCE_STOPPING ||
		      state == INSTANCE_PENDING;
	if (!row_is_live(&i->row) || state == INSTANCE_TERMINATED)
		REFUSE(w, "instance: it has been terminated. Nothing is left to move.");
	else if (!is_fit || i->wanted_shelved || i->destroyed_us)
		REFUSE(w, "state: only a running or a stopped instance is moved. Unshelve it, resume it or "
			  "end its "
			  "rescue first.");
	if (i->protect_stop)
		REFUSE(w, "protect_stop: stop protection is on, and the cutover stops the instance. Turn it "
			  "off.");
	if (i->locked)
		REFUSE(w, "locked: the instance is locked. Unlock it.");
	if (!uuid_is_none(i->spot_request))
		REFUSE(w,
		       "spot_request: a spot instance is moved only after it was launched anew on demand.");
	if (w->m->scaling_group.n)
		REFUSE(w,
		       "scaling_group: the instance belongs to the group %" STR_FMT
		       ", which would replace it when it stops. Detach it from the group.",
		       STR_ARG(w->m->scaling_group));
	return OK;
}

static RESULT weigh_shape(struct weighing *w, size_t disk_count)
{
	const struct cloud_migration *m = w->m;
	if (!disk_count)
		REFUSE(w, "disks: the instance has no volumes.");
	if (!str_is(m->arch, "x86_64"))
		REFUSE(w, "arch: only x86_64 guests are moved. Install the machine anew there.");
	if (m->nics > 1)
		REFUSE(w,
		       "nics: the instance has %lld network interfaces, and only the primary one is moved. "
		       "Detach "
		       "the others.",
		       (long long) m->nics);
	if (m->has_local && !m->drops_local)
		REFUSE(w,
		       "has_local: the type %" STR_FMT " has local disks that no snapshot covers; their "
		       "content would be lost. Set drops_local to "
		       "accept that.",
		       STR_ARG(m->source_type));
	return OK;
}

/* ---- the target ---- */

static RESULT weigh_type(struct weighing *w)
{
	const struct cloud_migration *m = w->m;
	const struct remote_resource *type = remote_resource_find_by_provider(
		w->tables, m->provider, REMOTE_RESOURCE_TYPE_INSTANCE_TYPE, m->target_type);
	if (!m->target_type.n)
		REFUSE(w,
		       "target_type: the provider lists no type for %lld processors and %lld MiB of memory. "
		       "Set "
		       "target_type.",
		       (long long) m->vcpus, (long long) (m->memory >> 20));
	else if (type && type->size && type->size < m->memory)
		WARN(w, "target_type: %" STR_FMT " has less memory than %" STR_FMT ".",
		     STR_ARG(m->target_type), STR_ARG(m->source_type));
	else if (!type)
		WARN(w, "target_type: the provider does not list %" STR_FMT ".", STR_ARG(m->target_type));
	return OK;
}

static RESULT weigh_mapping(struct weighing *w)
{
	const struct cloud_migration *m = w->m;
	if (m->copies_whole)
		WARN(w, "copies_whole: the cloud takes no changed blocks. The whole disks are uploaded "
			"twice: while the "
			"instance runs, and again during the cutover.");
	WARN(w,
	     "source_ip: the private address changes; it is %" STR_FMT " here. Public addresses stay here.",
	     STR_ARG(m->source_ip));
	if (!m->target_groups.count)
		WARN(w, "target_groups: security groups are not copied. The machine gets the default group "
			"unless "
			"target_groups are set.");
	if (m->source_key.n && !m->target_key.n)
		WARN(w,
		     "target_key: the provider lists no key pair %" STR_FMT
		     ". The keys on the disk stay as they are.",
		     STR_ARG(m->source_key));
	return OK;
}

static RESULT weigh_rights(struct weighing *w)
{
	static const char *const needed[] = {"ec2:RunInstances", "ec2:StopInstances",
					     "ec2:TerminateInstances", "ec2:CreateTags", "role:member"};
	const struct provider *p = provider_find(w->tables, w->m->provider);
	if (!p || !row_is_live(&p->row)) {
		REFUSE(w, "provider: it has been removed. Add it again.");
		return OK;
	}
	for (size_t k = 0; k < p->lacks.count; k++)
		for (size_t n = 0; n < sizeof needed / sizeof needed[0]; n++)
			if (str_is(p->lacks.at[k], needed[n]))
				REFUSE(w, "rights: the provider's credentials lack %s. Grant it.", needed[n]);
	return OK;
}

RESULT migration_weigh_out(struct weighing *w, const struct cloud_migration_disk *disks, size_t disk_count)
{
	const struct instance *i = instance_find(w->tables, w->m->instance);
	if (!i) {
		REFUSE(w, "instance: it has been terminated. Nothing is left to move.");
		return OK;
	}
	TRY(weigh_stop(w, i));
	TRY(weigh_shape(w, disk_count));
	for (size_t k = 0; k < disk_count; k++)
		TRY(migration_weigh_disk(w, &disks[k]));
	TRY(weigh_guest(w, i));
	TRY(weigh_licences(w, i));
	TRY(weigh_type(w));
	TRY(weigh_mapping(w));
	return weigh_rights(w);
}
