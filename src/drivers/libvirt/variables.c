/* SPDX-License-Identifier: Apache-2.0
 * UEFI variables of guests: a file that libvirt creates at the first start, beside those of its other guests,
 * and that QEMU updates. It is read as a volume of that directory.
 *
 * To give a guest variables, the file is created before its first start; libvirt keeps an existing one. Its
 * size and other content depend on the firmware's template, which only libvirt knows. So a domain with that
 * firmware is started paused for a moment, and its file serves as the template. */
#include "base/heap.h"
#include "drivers/libvirt/host.h"

/* OVMF's files have 512 KiB, older ones less. */
enum { FILE_SIZE_MAX = 1 << 20 };

/* The default of libvirt's system daemon, unless the definition has another path. */
#define DIRECTORY "/var/lib/libvirt/qemu/nvram"

/* Empty: the domain has none. Some libvirt versions (9.0) report the path of running domains only. */
RESULT libvirt_find_variables(struct compute_host *h, struct ctx *c, uuid id, struct str *ret_path)
{
	AUTO_DOMAIN d = NULL;
	AUTO(xml_tree) t = NULL;
	*ret_path = STR_NONE;
	TRY(libvirt_find_domain(h, c, id, &d, NULL));
	if (!d)
		return OK;
	AUTO_TEXT xml = virDomainGetXMLDesc(d, 0);
	if (!xml)
		return libvirt_fail(h, c, "reading the definition of domain %s", virDomainGetName(d));
	TRY(xml_tree_parse(c, str_from(xml), &t));
	*ret_path = xml_tree_find(c, t, "/domain/os/nvram");
	if (ret_path->n || !str_is(xml_tree_find(c, t, "/domain/os/@firmware"), "efi"))
		return OK;
	*ret_path = str_print(c->arena, DIRECTORY "/%s_VARS.fd", virDomainGetName(d));
	return ret_path->p ? OK : ctx_no_memory(c);
}

/* Opens an existing pool of the directory, or a transient one that disappears with libvirtd. */
static RESULT open_directory(struct compute_host *h, struct ctx *c, struct str path,
			     virStoragePoolPtr *ret_pool)
{
	const char *target = str_to_z(c->arena, path);
	struct str xml = str_print(
		c->arena,
		"<pool type='dir'><name>dari-%s-variables</name><target><path>%s</path></target></pool>",
		h->region_text, target);
	if (!xml.p)
		return ctx_no_memory(c);
	*ret_pool = virStoragePoolLookupByTargetPath(h->conn, target);
	if (!*ret_pool)
		*ret_pool = virStoragePoolCreateXML(h->conn, xml.p, 0);
	if (!*ret_pool) /* another connection created it first */
		*ret_pool = virStoragePoolLookupByTargetPath(h->conn, target);
	return *ret_pool ? OK : libvirt_fail(h, c, "opening the directory %s on host %s", target, h->name);
}

/* NULL: absent. libvirt discovers new files only by refreshing the pool. */
static RESULT find_file(struct compute_host *h, struct ctx *c, virStoragePoolPtr pool, struct str name,
			virStorageVolPtr *ret_volume)
{
	TRY(libvirt_find_volume(h, c, pool, name, ret_volume));
	if (*ret_volume)
		return OK;
	if (virStoragePoolRefresh(pool, 0) != 0)
		return libvirt_fail(h, c, "reading the directory of UEFI's variables on host %s", h->name);
	return libvirt_find_volume(h, c, pool, name, ret_volume);
}

/* Opens the file of a domain that has run. NULL: it has none. */
static RESULT open_file(struct compute_host *h, struct ctx *c, struct str path, virStoragePoolPtr *ret_pool,
			virStorageVolPtr *ret_volume)
{
	struct str name = libvirt_name_in(path);
	*ret_volume = NULL;
	if (!name.n || name.n + 1 >= path.n)
		return OK;
	TRY(open_directory(h, c, str_slice(path, 0, path.n - name.n - 1), ret_pool));
	return find_file(h, c, *ret_pool, name, ret_volume);
}

static RESULT read_file(struct compute_host *h, struct ctx *c, virStorageVolPtr v, struct str *ret_file)
{
	int64_t size = 0;
	TRY(libvirt_find_file_size(h, c, v, &size));
	if (size > FILE_SIZE_MAX)
		return ctx_fail(c, ERR_UNSUPPORTED, "UEFI's variables are in a file of more than %d bytes",
				FILE_SIZE_MAX);
	return libvirt_download(h, c, v, 0, (size_t) size, ret_file);
}

static RESULT fail_none(struct ctx *c, uuid id)
{
	char text[UUID_TEXT_SIZE];
	return ctx_fail_kind(c, ERR_STATE, KIND_INSTANCE, "Instance %s has no UEFI variables yet",
			     uuid_write(id, text));
}

RESULT libvirt_read_variables(struct compute_host *h, struct ctx *c, uuid id,
			      struct firmware_variables *ret_variables)
{
	struct str path = STR_NONE, file = STR_NONE;
	AUTO_POOL pool = NULL;
	AUTO_VOLUME v = NULL;
	TRY(libvirt_check_alive(h, c));
	TRY(libvirt_find_variables(h, c, id, &path));
	TRY(open_file(h, c, path, &pool, &v));
	if (!v)
		return fail_none(c, id);
	TRY(read_file(h, c, v, &file));
	return libvirt_parse_variables(c, file, ret_variables);
}

/* ---- leaving */

RESULT libvirt_drop_variables(struct compute_host *h, struct ctx *c, struct str path)
{
	AUTO_POOL pool = NULL;
	AUTO_VOLUME v = NULL;
	TRY(open_file(h, c, path, &pool, &v));
	if (!v || virStorageVolDelete(v, 0) == 0 || libvirt_error_is(VIR_ERR_NO_STORAGE_VOL))
		return OK;
	return libvirt_fail(h, c, "deleting %" STR_FMT " on host %s", STR_ARG(path), h->name);
}

/* ---- giving */

/* Reads the file of a paused domain, which is deleted with that domain. */
static RESULT take_template(struct compute_host *h, struct ctx *c, virDomainPtr d, struct str *ret_file,
			    struct str *ret_directory)
{
	AUTO(xml_tree) t = NULL;
	AUTO_POOL pool = NULL;
	AUTO_VOLUME v = NULL;
	AUTO_TEXT xml = virDomainGetXMLDesc(d, 0);
	if (!xml)
		return libvirt_fail(h, c, "reading the definition of domain %s", virDomainGetName(d));
	TRY(xml_tree_parse(c, str_from(xml), &t));
	struct str path = xml_tree_find(c, t, "/domain/os/nvram"), name = libvirt_name_in(path);
	TRY(open_file(h, c, path, &pool, &v));
	if (!v)
		return ctx_fail(c, ERR_UNSUPPORTED, "the firmware of host %s keeps no variables in a file",
				h->name);
	*ret_directory = str_slice(path, 0, path.n - name.n - 1);
	TRY(read_file(h, c, v, ret_file));
	return virStorageVolDelete(v, 0) == 0 ? OK : libvirt_fail(h, c, "deleting %" STR_FMT, STR_ARG(path));
}

static RESULT find_template(struct compute_host *h, struct ctx *c, const struct domain_place *place,
			    const struct compute_hardware *hw, struct str *ret_file,
			    struct str *ret_directory)
{
	struct str xml = STR_NONE;
	TRY(libvirt_write_firmware_domain(c, place, hw, &xml));
	AUTO_DOMAIN d =
		virDomainCreateXML(h->conn, xml.p, VIR_DOMAIN_START_PAUSED | VIR_DOMAIN_START_AUTODESTROY);
	if (!d)
		return libvirt_fail(h, c, "looking for the firmware's variables on host %s", h->name);
	struct result r = take_template(h, c, d, ret_file, ret_directory);
	struct problem problem = c->problem;
	if (virDomainDestroy(d) != 0 && !libvirt_error_is(VIR_ERR_NO_DOMAIN) && result_is_ok(r))
		return libvirt_fail(h, c, "ending the domain %s", virDomainGetName(d));
	c->problem = problem;
	return r;
}

RESULT libvirt_give_variables(struct compute_host *h, struct ctx *c, const struct domain_place *place,
			      const struct compute_domain *wish)
{
	struct firmware_variables variables = {0};
	struct str template = STR_NONE, directory = STR_NONE, file = STR_NONE;
	AUTO_POOL pool = NULL;
	AUTO_VOLUME v = NULL;
	TRY(firmware_read(c, wish->variables, &variables));
	TRY(find_template(h, c, place, &wish->hardware, &template, &directory));
	TRY(libvirt_replace_variables(c, template, &variables, &file));
	struct str name = str_print(c->arena, "%" STR_FMT "_VARS.fd", STR_ARG(wish->name));
	if (!name.p)
		return ctx_no_memory(c);
	TRY(open_directory(h, c, directory, &pool));
	TRY(find_file(h, c, pool, name, &v));
	if (v && virStorageVolDelete(v, 0) != 0)
		return libvirt_fail(h, c, "deleting %" STR_FMT, STR_ARG(name));
	libvirt_autodrop_volume(&v);
	struct str xml = str_print(
		c->arena,
		"<volume type='file'><name>%" STR_FMT "</name><capacity unit='bytes'>%zu</capacity>"
		"<target><format type='raw'/><permissions><mode>0600</mode></permissions></target></volume>",
		STR_ARG(name), file.n);
	v = xml.p ? virStorageVolCreateXML(pool, xml.p, 0) : NULL;
	if (!v)
		return libvirt_fail(h, c, "creating %" STR_FMT " on host %s", STR_ARG(name), h->name);
	return libvirt_upload(h, c, v, file);
}
