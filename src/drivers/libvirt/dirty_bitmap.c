/* SPDX-License-Identifier: Apache-2.0
 * Dirty bitmaps: a disk's qcow2 file records its writes since a snapshot's cut, in a bitmap belonging to a
 * libvirt checkpoint of the same name. The bitmap is authoritative: it moves with the file, is absent from
 * any other file, and QEMU marks it inconsistent after a crash. A libvirt checkpoint belongs to a domain and
 * contributes only the bitmap's name. So it is recreated before use, for the domain that has the disk now.
 * Only one bitmap of a disk is useful; others are dropped before the next cut. */
#include "base/vec.h"
#include "drivers/libvirt/host.h"

struct names {
	VEC(struct str) at;
};

static void drop_checkpoint(virDomainCheckpointPtr *p)
{
	if (*p)
		virDomainCheckpointFree(*p);
	*p = NULL;
}
#define AUTO_CHECKPOINT __attribute__((cleanup(drop_checkpoint))) virDomainCheckpointPtr

/* The common prefix of a volume's bitmap names. */
static struct str write_prefix(struct compute_host *h, struct ctx *c, uuid volume)
{
	char id[UUID_TEXT_SIZE];
	return str_print(c->arena, "dari-%s-%s-", h->region_text, uuid_write(volume, id));
}

struct str libvirt_track_name(struct compute_host *h, struct ctx *c, uuid volume, uuid snapshot)
{
	char id[UUID_TEXT_SIZE];
	struct str prefix = write_prefix(h, c, volume);
	return str_print(c->arena, "%" STR_FMT "%s", STR_ARG(prefix), uuid_write(snapshot, id));
}

static RESULT write_checkpoint(struct compute_host *h, struct ctx *c, virDomainPtr d, struct str target,
			       struct str name, unsigned flags, virDomainCheckpointPtr *ret_checkpoint)
{
	struct str xml = str_print(c->arena,
				   "<domaincheckpoint><name>%" STR_FMT "</name><creationTime>1</creationTime>"
				   "<disks><disk name='%" STR_FMT "' checkpoint='bitmap' bitmap='%" STR_FMT
				   "'/></disks></domaincheckpoint>",
				   STR_ARG(name), STR_ARG(target), STR_ARG(name));
	if (!xml.p)
		return ctx_no_memory(c);
	*ret_checkpoint =
		virDomainCheckpointCreateXML(d, xml.p, VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE | flags);
	return *ret_checkpoint ? OK
			       : libvirt_fail(h, c, "naming the bitmap of disk %" STR_FMT " of domain %s",
					      STR_ARG(target), virDomainGetName(d));
}

RESULT libvirt_begin_track(struct compute_host *h, struct ctx *c, virDomainPtr d, struct str target,
			   struct str name)
{
	struct str xml = str_print(c->arena,
				   "<domaincheckpoint><name>%" STR_FMT "</name><disks><disk name='%" STR_FMT
				   "' checkpoint='bitmap' bitmap='%" STR_FMT "'/></disks></domaincheckpoint>",
				   STR_ARG(name), STR_ARG(target), STR_ARG(name));
	AUTO_CHECKPOINT checkpoint = xml.p ? virDomainCheckpointCreateXML(d, xml.p, 0) : NULL;
	return checkpoint ? OK
			  : libvirt_fail(h, c, "beginning a bitmap of disk %" STR_FMT " of domain %s",
					 STR_ARG(target), virDomainGetName(d));
}

RESULT libvirt_check_track(struct compute_host *h, struct ctx *c, virDomainPtr d, struct str target,
			   struct str name, bool *ret_is_good)
{
	AUTO_CHECKPOINT checkpoint = NULL;
	struct result r = write_checkpoint(h, c, d, target, name,
					   VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE_VALIDATE, &checkpoint);
	*ret_is_good = result_is_ok(r);
	if (r.code == ERR_GONE)
		return r;
	ctx_clear_problem(c);
	return OK;
}

/* ---- dropping */

/* If the file has no such bitmap, libvirt drops the checkpoint only. */
static RESULT drop_track(struct compute_host *h, struct ctx *c, virDomainPtr d, struct str target,
			 struct str name)
{
	AUTO_CHECKPOINT checkpoint = NULL;
	TRY(write_checkpoint(h, c, d, target, name, 0, &checkpoint));
	if (virDomainCheckpointDelete(checkpoint, 0) == 0 ||
	    virDomainCheckpointDelete(checkpoint, VIR_DOMAIN_CHECKPOINT_DELETE_METADATA_ONLY) == 0)
		return OK;
	return libvirt_fail(h, c, "dropping the bitmap of disk %" STR_FMT " of domain %s", STR_ARG(target),
			    virDomainGetName(d));
}

static RESULT add_name(struct ctx *c, struct names *names, struct str name)
{
	for (size_t k = 0; k < names->at.count; k++)
		if (str_equal(names->at.at[k], name))
			return OK;
	return name.p && VEC_PUSH(c->arena, &names->at, name) ? OK : ctx_no_memory(c);
}

static RESULT add_names_of(struct compute_host *h, struct ctx *c, virDomainPtr d, struct str prefix,
			   struct names *names)
{
	virDomainCheckpointPtr *all = NULL;
	int count = virDomainListAllCheckpoints(d, &all, 0);
	if (count < 0 && libvirt_error_is(VIR_ERR_NO_DOMAIN)) /* the domain disappeared in the meantime */
		return OK;
	if (count < 0)
		return libvirt_fail(h, c, "listing the checkpoints of domain %s", virDomainGetName(d));
	struct result r = OK;
	for (int k = 0; k < count; k++) {
		AUTO_CHECKPOINT checkpoint = all[k];
		struct str name = str_from(virDomainCheckpointGetName(checkpoint));
		if (result_is_ok(r) && str_starts_with(name, prefix))
			r = add_name(c, names, str_copy(c->arena, name));
	}
	libvirt_autofree_text((char **) &all);
	return r;
}

/* Collects names from all domains: previous users of the disk may have checkpoints too. */
static RESULT add_all_names(struct compute_host *h, struct ctx *c, struct str prefix, struct names *names)
{
	virDomainPtr *domains = NULL;
	int count = virConnectListAllDomains(h->conn, &domains, 0);
	if (count < 0)
		return libvirt_fail(h, c, "listing domains");
	struct result r = OK;
	for (int k = 0; k < count; k++) {
		AUTO_DOMAIN d = domains[k];
		if (result_is_ok(r))
			r = add_names_of(h, c, d, prefix, names);
	}
	libvirt_autofree_text((char **) &domains);
	return r;
}

RESULT libvirt_drop_tracks(struct compute_host *h, struct ctx *c, virDomainPtr d, struct str target,
			   const struct track_set *set)
{
	struct names names = {0};
	struct str prefix = write_prefix(h, c, set->volume);
	if (!prefix.p)
		return ctx_no_memory(c);
	TRY(add_all_names(h, c, prefix, &names));
	for (size_t k = 0; k < sizeof set->known / sizeof set->known[0]; k++)
		if (!uuid_is_none(set->known[k]))
			TRY(add_name(c, &names, libvirt_track_name(h, c, set->volume, set->known[k])));
	struct str keep = libvirt_track_name(h, c, set->volume, set->keep);
	for (size_t k = 0; k < names.at.count; k++)
		if (uuid_is_none(set->keep) || !str_equal(names.at.at[k], keep))
			TRY(drop_track(h, c, d, target, names.at.at[k]));
	return OK;
}
