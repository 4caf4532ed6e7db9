/* SPDX-License-Identifier: Apache-2.0
 * Keys of encrypted disks and of Ceph pools as libvirt secrets. A disk's secret has the volume's UUID, and
 * its usage is the volume's file path in the host's own directory, wherever the file really is. A pool's
 * secret has the pool's UUID and a usage of region and Ceph user. The usage identifies our secrets. They
 * exist in libvirtd's memory only (ephemeral) and only QEMU can read them (private). They are lost when
 * libvirtd ends, so every caller that needs one sets it first. */
#include "drivers/libvirt/host.h"

static void drop_secret(virSecretPtr *s)
{
	if (*s)
		virSecretFree(*s);
	*s = NULL;
}
#define AUTO_SECRET __attribute__((cleanup(drop_secret))) virSecretPtr

static RESULT write_path(struct compute_host *h, struct ctx *c, uuid volume, struct str *ret_path)
{
	struct str name = libvirt_volume_name(c->arena, h->region, volume, false);
	*ret_path = str_print(c->arena, "%s/%" STR_FMT, h->own_path, STR_ARG(name));
	return name.p && ret_path->p ? OK : ctx_no_memory(c);
}

/* NULL: none. ERR_CONFLICT: its usage is not our file or pool. */
static RESULT find_secret(struct compute_host *h, struct ctx *c, uuid volume, struct str path,
			  virSecretPtr *ret_secret)
{
	char text[UUID_TEXT_SIZE];
	AUTO_SECRET s = virSecretLookupByUUID(h->conn, volume.b);
	*ret_secret = NULL;
	if (!s && (libvirt_error_is(VIR_ERR_NO_SECRET) || libvirt_error_is(VIR_ERR_NO_SUPPORT)))
		return OK; /* a libvirt without secret support has none */
	if (!s)
		return libvirt_fail(h, c, "looking for the key of volume %s", uuid_write(volume, text));
	const char *used_for = virSecretGetUsageID(s);
	if (!used_for || !str_is(path, used_for))
		return ctx_fail(c, ERR_CONFLICT, "host %s has a secret %s that this region did not make",
				h->name, uuid_write(volume, text));
	*ret_secret = TAKE(s);
	return OK;
}

/* usage: its XML. */
static RESULT define_secret(struct compute_host *h, struct ctx *c, uuid id, struct str usage,
			    virSecretPtr *ret_secret)
{
	char text[UUID_TEXT_SIZE];
	struct str xml = str_print(
		c->arena, "<secret ephemeral='yes' private='yes'><uuid>%s</uuid>%" STR_FMT "</secret>",
		uuid_write(id, text), STR_ARG(usage));
	if (!usage.p || !xml.p)
		return ctx_no_memory(c);
	*ret_secret = virSecretDefineXML(h->conn, xml.p, 0);
	return *ret_secret ? OK : libvirt_fail(h, c, "defining the key %s", text);
}

static RESULT set_value(struct compute_host *h, struct ctx *c, virSecretPtr s, struct str value)
{
	if (virSecretSetValue(s, (const unsigned char *) value.p, value.n, 0) != 0)
		return libvirt_fail(h, c, "setting the key of %s", virSecretGetUsageID(s));
	return OK;
}

RESULT libvirt_set_secret(struct compute_host *h, struct ctx *c, uuid volume, const struct disk_key *key)
{
	struct str path = STR_NONE;
	AUTO_SECRET s = NULL;
	TRY(write_path(h, c, volume, &path));
	TRY(find_secret(h, c, volume, path, &s));
	struct str usage = str_print(c->arena, "<usage type='volume'><volume>%" STR_FMT "</volume></usage>",
				     STR_ARG(path));
	if (!s)
		TRY(define_secret(h, c, volume, usage, &s));
	return set_value(h, c, s, str_from(key->text));
}

/* libvirt stores Ceph keys base64-decoded. */
RESULT libvirt_trust_pool(struct compute_host *h, struct ctx *c, const struct ceph_place *place)
{
	AUTO_SECRET s = NULL;
	struct str value = STR_NONE, name = STR_NONE;
	TRY(ceph_check_place(c, place));
	if (!result_is_ok(str_decode_base64(c->arena, place->key, &value)))
		return ctx_fail(c, ERR_INVALID, "the key of Ceph's user %" STR_FMT " is none",
				STR_ARG(place->user));
	name = str_print(c->arena, "dari-%s client.%" STR_FMT " %" STR_FMT, h->region_text,
			 STR_ARG(place->user), STR_ARG(place->pool));
	if (!name.p)
		return ctx_no_memory(c);
	TRY(find_secret(h, c, place->id, name, &s));
	struct str usage =
		str_print(c->arena, "<usage type='ceph'><name>%" STR_FMT "</name></usage>", STR_ARG(name));
	if (!s)
		TRY(define_secret(h, c, place->id, usage, &s));
	return set_value(h, c, s, value);
}

RESULT libvirt_set_secrets(struct compute_host *h, struct ctx *c, const struct compute_domain *domain)
{
	for (size_t k = 0; k < domain->disk_count; k++) {
		const struct compute_disk *d = &domain->disks[k];
		if (d->key)
			TRY(libvirt_set_secret(h, c, d->volume, d->key));
		if (d->ceph)
			TRY(libvirt_trust_pool(h, c, d->ceph));
	}
	return OK;
}

RESULT libvirt_drop_secret(struct compute_host *h, struct ctx *c, uuid volume)
{
	char text[UUID_TEXT_SIZE];
	struct str path = STR_NONE;
	AUTO_SECRET s = NULL;
	TRY(write_path(h, c, volume, &path));
	TRY(find_secret(h, c, volume, path, &s));
	if (s && virSecretUndefine(s) != 0 && !libvirt_error_is(VIR_ERR_NO_SECRET))
		return libvirt_fail(h, c, "forgetting the key of volume %s", uuid_write(volume, text));
	return OK;
}
