/* SPDX-License-Identifier: Apache-2.0
 * Switches a running guest from one file, or image in a Ceph pool, to another: libvirt's block copy and its
 * pivot. The guest's writes go to both files from the start, so the copy completes however much is written.
 * The pivot also updates the definition, so a guest that ends right afterwards starts from the new file.
 *
 * libvirt would carry the first file's dirty bitmaps (dirty_bitmap.c) over to the second one, under names not
 * expected there, so they are dropped before. */
#include "drivers/libvirt/host.h"

struct swap {              /* state of a running domain's disk */
	struct str target; /* the disk's target name; empty: it has neither file */
	bool is_over;      /* the disk uses the new file */
	struct str mirror; /* name of the file being filled; empty: none */
	bool is_ready;     /* both files have the same content and receive the same writes */
};

/* Returns the name as it appears in a disk's <source>. */
static struct str name_of(struct compute_host *h, struct ctx *c, const struct compute_disk *d)
{
	struct str name = d->ceph ? ceph_volume_name(c->arena, h->region, d->volume)
				  : libvirt_volume_name(c->arena, h->region, d->volume, d->is_raw);
	return str_print(c->arena, "%" STR_FMT "/%" STR_FMT,
			 STR_ARG(d->ceph ? d->ceph->pool : libvirt_directory_of(h, d)), STR_ARG(name));
}

/* A pool is identified by its secret, because two clusters may have pools of the same name. */
static struct str write_source_test(struct compute_host *h, struct ctx *c, const struct compute_disk *d)
{
	char pool[UUID_TEXT_SIZE];
	struct str name = name_of(h, c, d);
	if (d->ceph)
		uuid_write(d->ceph->id, pool);
	return d->ceph ? str_print(c->arena,
				   "source/@name='%" STR_FMT
				   "' and (source/auth/secret/@uuid='%s' or auth/secret/@uuid='%s')",
				   STR_ARG(name), pool, pool)
		       : str_print(c->arena, "source/@file='%" STR_FMT "'", STR_ARG(name));
}

/* Finds a value below the disk that has this source. */
static struct str find(struct compute_host *h, struct ctx *c, struct xml_tree *t,
		       const struct compute_disk *d, const char *below)
{
	struct str source = write_source_test(h, c, d);
	struct str xpath =
		str_print(c->arena, "/domain/devices/disk[%" STR_FMT "]/%s", STR_ARG(source), below);
	return xpath.p ? xml_tree_find(c, t, xpath.p) : STR_NONE;
}

static RESULT look(struct compute_host *h, struct ctx *c, virDomainPtr d, const struct compute_swapping *wish,
		   struct swap *ret_swap)
{
	AUTO(xml_tree) t = NULL;
	AUTO_TEXT xml = virDomainGetXMLDesc(d, 0);
	if (!xml)
		return libvirt_fail(h, c, "looking at the disks of %s", virDomainGetName(d));
	TRY(xml_tree_parse(c, str_from(xml), &t));
	struct str over = find(h, c, t, wish->to, "target/@dev");
	struct str file = find(h, c, t, wish->from, "mirror/source/@file");
	*ret_swap = (struct swap){
		.target = over.n ? over : find(h, c, t, wish->from, "target/@dev"),
		.is_over = over.n > 0,
		.mirror = file.n ? file : find(h, c, t, wish->from, "mirror/source/@name"),
		.is_ready = str_is(find(h, c, t, wish->from, "mirror/@ready"), "yes"),
	};
	return OK;
}

/* NULL: absent or off. */
static RESULT find_active(struct compute_host *h, struct ctx *c, uuid id, virDomainPtr *ret_domain)
{
	AUTO_DOMAIN d = NULL;
	TRY(libvirt_check_alive(h, c));
	TRY(libvirt_find_domain(h, c, id, &d, NULL));
	*ret_domain = NULL;
	if (!d || virDomainIsActive(d) != 1)
		return OK;
	TRY(libvirt_check_answers(h, c, d));
	*ret_domain = TAKE(d);
	return OK;
}

static RESULT end_copy(struct compute_host *h, struct ctx *c, virDomainPtr d, struct str target,
		       unsigned flags)
{
	if (virDomainBlockJobAbort(d, target.p, flags) == 0)
		return OK;
	return libvirt_fail(h, c, "%s disk %" STR_FMT " of domain %s",
			    flags & VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT ? "exchanging" : "ending the copy of",
			    STR_ARG(target), virDomainGetName(d));
}

static RESULT write_target(struct compute_host *h, struct ctx *c, const struct compute_disk *to,
			   struct str *ret_xml)
{
	struct buf b;
	struct domain_place place = {.region = h->region, .pool_path = str_from(h->pool_path)};
	buf_init(&b, DEVICE_XML_CAP);
	buf_print(&b, "<disk type='%s' device='disk'><driver name='qemu' type='%s'/>",
		  libvirt_source_type(to), libvirt_format(to));
	struct result r = libvirt_write_source(c, &b, &place, to);
	buf_print(&b, "</disk>");
	if (result_is_ok(r))
		r = buf_finish(&b);
	*ret_xml = result_is_ok(r) ? str_copy(c->arena, buf_str(&b)) : STR_NONE;
	buf_done(&b);
	TRY(r);
	return ret_xml->p ? OK : ctx_no_memory(c);
}

static RESULT begin_copy(struct compute_host *h, struct ctx *c, virDomainPtr d,
			 const struct compute_swapping *wish, struct str target)
{
	const unsigned flags = VIR_DOMAIN_BLOCK_COPY_REUSE_EXT | VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB |
			       VIR_DOMAIN_BLOCK_COPY_SYNCHRONOUS_WRITES;
	struct track_set all = {.volume = wish->from->volume, .known = {wish->tracked_from}};
	struct str xml = STR_NONE;
	TRY(write_target(h, c, wish->to, &xml));
	if (wish->to->key)
		TRY(libvirt_set_secret(h, c, wish->to->volume, wish->to->key));
	if (wish->to->ceph)
		TRY(libvirt_trust_pool(h, c, wish->to->ceph));
	if (!uuid_is_none(wish->tracked_from))
		TRY(libvirt_drop_tracks(h, c, d, target, &all));
	if (virDomainBlockCopy(d, target.p, xml.p, NULL, 0, flags) == 0)
		return OK;
	return libvirt_fail(h, c, "copying disk %" STR_FMT " of domain %s", STR_ARG(target),
			    virDomainGetName(d));
}

/* Reads the stage from the definition, which the pivot updates too. */
static RESULT look_at_definition(struct compute_host *h, struct ctx *c, const struct compute_swapping *wish,
				 enum compute_swap_stage *ret_stage)
{
	struct swap swap = {0};
	AUTO_DOMAIN d = NULL;
	TRY(libvirt_find_domain(h, c, wish->instance, &d, NULL));
	if (d)
		TRY(look(h, c, d, wish, &swap));
	*ret_stage = swap.is_over ? COMPUTE_SWAP_DONE : COMPUTE_SWAP_NONE;
	return OK;
}

static enum compute_swap_stage stage_of(const struct swap *swap, bool begins)
{
	if (swap->is_over || (swap->mirror.n && swap->is_ready))
		return COMPUTE_SWAP_DONE;
	return swap->mirror.n || begins ? COMPUTE_SWAP_COPYING : COMPUTE_SWAP_NONE;
}

RESULT libvirt_swap(struct compute_host *h, struct ctx *c, const struct compute_swapping *wish, bool begins,
		    enum compute_swap_stage *ret_stage)
{
	char id[UUID_TEXT_SIZE];
	struct swap swap = {0};
	AUTO_DOMAIN d = NULL;
	TRY(find_active(h, c, wish->instance, &d));
	if (!d && !begins)
		return look_at_definition(h, c, wish, ret_stage);
	if (!d)
		return ctx_fail(c, ERR_STATE, "domain %s is not running", uuid_write(wish->instance, id));
	TRY(look(h, c, d, wish, &swap));
	if (!swap.target.n)
		return ctx_fail(c, ERR_NOT_FOUND, "domain %s has not the disk %s", virDomainGetName(d),
				uuid_write(wish->from->volume, id));
	/* left by another swap, abandoned since */
	if (swap.mirror.n && !str_equal(swap.mirror, name_of(h, c, wish->to))) {
		TRY(end_copy(h, c, d, swap.target, 0));
		swap.mirror = STR_NONE;
	}
	*ret_stage = stage_of(&swap, begins);
	if (!swap.is_over && *ret_stage == COMPUTE_SWAP_DONE)
		return end_copy(h, c, d, swap.target, VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT);
	return swap.is_over || swap.mirror.n || !begins ? OK : begin_copy(h, c, d, wish, swap.target);
}

RESULT libvirt_end_swap(struct compute_host *h, struct ctx *c, const struct compute_swapping *wish)
{
	struct swap swap = {0};
	AUTO_DOMAIN d = NULL;
	TRY(find_active(h, c, wish->instance, &d));
	if (!d)
		return OK;
	TRY(look(h, c, d, wish, &swap));
	return swap.mirror.n ? end_copy(h, c, d, swap.target, 0) : OK;
}
