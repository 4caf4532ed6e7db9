/* SPDX-License-Identifier: Apache-2.0
 * Registers templates and ISOs by URL, creates them from volumes and snapshots, changes, shares and deletes
 * them. Source: API reference, "Template" and "ISO"; TemplateAdapterBase and TemplateManagerImpl of 4.18.
 */
#include "api/cloudstack/compute/os_types.h"
#include "api/cloudstack/compute/templates.h"
#include "api/cloudstack/region/region.h"
#include "api/cloudstack/upload/upload.h"
#include "drivers/image/image_unpack.h"
#include "engine/resolve.h"
#include "engine/storage/image/image_source.h"
#include "engine/storage/sending.h"
#include "model/licence.h"
#include "store/account.h"
#include "store/image.h"
#include "store/snapshot.h"

/* ---- what is said of one ---- */

struct said {
	struct str name, text, os_type_id;
	const struct cs_os_type *os_type; /* NULL: not given */
	struct tags details;
	enum choice is_public, takes_password, is_extractable, is_featured;
};
#define SAID(T, member, needs)                                                                               \
	PARAM(T, "name", member.name, .flags = (needs), .doc = "Name."),                                     \
		PARAM(T, "displaytext", member.text, .flags = (needs), .doc = "Display text.")
#define OS_TYPE(T, member, needs)                                                                            \
	PARAM(T, "ostypeid", member.os_type_id, .flags = (needs),                                            \
	      .doc = "Guest operating system, as in listOsTypes.")
#define DETAILS(T, member)                                                                                   \
	PARAM(T, "details", member.details,                                                                  \
	      .doc = "Details: rootDiskController, nicAdapter, UEFI and licence, as details[0].NAME.")
#define PASSWORD(T, member)                                                                                  \
	PARAM(T, "passwordenabled", member.takes_password,                                                   \
	      .doc = "Whether guests set the password that the metadata service provides.")
#define OFFERED(T, member)                                                                                   \
	PARAM(T, "isextractable", member.is_extractable, .doc = "Stored and shown; has no effect."),         \
		PARAM(T, "isfeatured", member.is_featured,                                                   \
		      .doc = "Whether the image is featured; for root administrators.")
#define PUBLIC(T, member) PARAM(T, "ispublic", member.is_public, .doc = "Whether all accounts may use it.")
/* Unsupported parameters of registration and update. */
#define UNBUILT UNBUILT_AT_ALL, NOT_BUILT("checksum")
#define UNBUILT_AT_ALL                                                                                       \
	NOT_BUILT("extensionid|externaldetails|imagestoreuuid|templatetag|templatetype"),                    \
		NOT_BUILT("bits", .only = "64"), NOT_BUILT("arch", .only = "x86_64"),                        \
		NOT_BUILT("requireshvm", .only = "true"), NOT_BUILT("sortkey", .only = "0"),                 \
		NOT_BUILT("cleanupdetails|deployasis|directdownload|forceupdateostype|forcks|"               \
			  "isdynamicallyscalable|isrouting|sshkeyenabled",                                   \
			  .only = "false")

static RESULT read_os_type(struct cs_call *e, struct said *said)
{
	said->os_type = cs_find_os_type(said->os_type_id);
	return said->os_type || !said->os_type_id.n ? OK
						    : cs_fail_id(e, KIND_NONE, "ostypeid", said->os_type_id);
}

static bool take_word(struct str value, const char *words, int *at)
{
	struct str rest = str_from(words), word;
	for (int k = 0; str_split_next(&rest, '|', &word); k++)
		if (str_equal_nocase(value, word)) {
			*at = k;
			return true;
		}
	return false;
}

/* The licence "byos" is of the operating system that ostypeid names. */
static bool take_licence(struct ctx *c, const struct said *said, struct str word, struct image_form *form)
{
	const struct product_info *product =
		said->os_type ? product_info_of_title(str_from(said->os_type->name)) : NULL;
	return licence_read_word(c->arena, word, product, &form->licences);
}

/* Takes the details that have a meaning here. */
static RESULT take_details(struct ctx *c, const struct said *said, struct image_form *form)
{
	for (size_t k = 0; k < said->details.count; k++) {
		const struct tag *d = &said->details.at[k];
		int at = 0;
		bool is_taken = false;
		if (str_equal_nocase(d->key, STR("rootDiskController"))) {
			is_taken = take_word(d->value, "virtio|sata|ide", &at);
			form->disk_bus = at ? IMAGE_DISK_BUS_SATA : IMAGE_DISK_BUS_VIRTIO;
		} else if (str_equal_nocase(d->key, STR("nicAdapter"))) {
			is_taken = take_word(d->value, "virtio|e1000", &at);
			form->nic_model = at ? IMAGE_NIC_MODEL_E1000E : IMAGE_NIC_MODEL_VIRTIO;
		} else if (str_equal_nocase(d->key, STR("UEFI"))) {
			is_taken = take_word(d->value, "LEGACY|SECURE", &at);
			form->boot_mode = IMAGE_BOOT_MODE_UEFI;
			form->secure_boot = at == 1;
		} else if (str_equal_nocase(d->key, STR(CS_LICENCE_DETAIL))) {
			is_taken = take_licence(c, said, d->value, form);
		}
		if (!is_taken)
			return ctx_fail_field(c, ERR_UNSUPPORTED, STR("details"),
					      "The detail %" STR_FMT " is not supported with that value",
					      STR_ARG(d->key));
	}
	return OK;
}

/* Sets the image property. */
static RESULT set_property(struct ctx *c, struct image_form *form, struct str key, struct str value)
{
	struct tag *all = arena_new_array(c->arena, struct tag, form->properties.count + 1);
	size_t count = 0;
	if (!all)
		return ctx_no_memory(c);
	for (size_t k = 0; k < form->properties.count; k++)
		if (!str_equal(form->properties.at[k].key, key))
			all[count++] = form->properties.at[k];
	all[count++] = (struct tag){key, value};
	form->properties = (struct tags){all, count};
	return OK;
}

static RESULT take_os_type(struct ctx *c, const struct said *said, struct image_form *form)
{
	if (!said->os_type)
		return OK;
	form->platform = cs_os_type_is_windows(said->os_type) ? IMAGE_PLATFORM_WINDOWS : IMAGE_PLATFORM_LINUX;
	return set_property(c, form, STR(CS_OS_TYPE_PROPERTY), str_from(said->os_type->name));
}

static RESULT take_password(struct ctx *c, const struct said *said, struct image_form *form)
{
	if (said->takes_password == CHOICE_DEFAULT)
		return OK;
	return set_property(c, form, STR(CS_PASSWORD_PROPERTY),
			    said->takes_password == CHOICE_YES ? STR("true") : STR("false"));
}

/* Sets a property that says yes or no; an absent one says no. */
static RESULT take_choice(struct ctx *c, struct image_form *form, const char *property, enum choice said)
{
	const struct tag *present = tags_find(form->properties, str_from(property));
	if (said == CHOICE_DEFAULT || (said == CHOICE_NO && !present))
		return OK;
	return set_property(c, form, str_from(property), said == CHOICE_YES ? STR("true") : STR("false"));
}

/* Takes the given values; the others stay. */
static RESULT take_said(struct ctx *c, const struct said *said, struct image_form *form)
{
	if (said->name.n)
		form->name = said->name;
	if (said->text.n)
		form->description = said->text;
	if (said->is_public != CHOICE_DEFAULT)
		form->visibility =
			said->is_public == CHOICE_YES ? IMAGE_VISIBLE_PUBLIC : IMAGE_VISIBLE_SHARED;
	TRY(take_os_type(c, said, form));
	TRY(take_password(c, said, form));
	TRY(take_choice(c, form, CS_EXTRACTABLE_PROPERTY, said->is_extractable));
	TRY(take_choice(c, form, CS_FEATURED_PROPERTY, said->is_featured));
	return take_details(c, said, form);
}

/* ---- registerTemplate, registerIso ---- */

struct registration {
	struct image_creation wish;
	struct image_fetching fetching;
	struct said said;
	struct cs_owner owner;
	struct str format, hypervisor, checksum;
	struct ref zone;
	struct refs zones;
	enum choice is_bootable;
};
#define P(wire, member, ...) PARAM(struct registration, wire, member, __VA_ARGS__)
#define ANY_NEW                                                                                              \
	CS_FOR_PARAMS(struct registration, owner), PUBLIC(struct registration, said),                        \
		OS_TYPE(struct registration, said, 0), OFFERED(struct registration, said)
#define REGISTERED                                                                                           \
	ANY_NEW, UNBUILT_AT_ALL,                                                                             \
		P("checksum", checksum,                                                                      \
		  .doc = "Checksum of the download: {SHA-256} or {SHA-512} followed by hex digits, or MD5 "  \
			 "in hex."),                                                                         \
		SAID(struct registration, said, REQUIRED), PASSWORD(struct registration, said),              \
		P("url", fetching.url, .flags = REQUIRED, .max = 4096,                                       \
		  .doc = "URL to download from, http or https.")
#define FORMAT_AND_HYPERVISOR                                                                                \
	P("format", format, .flags = REQUIRED, .doc = "Format: QCOW2, RAW, VHD, VHDX or VMDK."),             \
		P("hypervisor", hypervisor, .flags = REQUIRED, .doc = "Hypervisor; only KVM.")
#define ONE_ZONE                                                                                             \
	P("zoneid", zone, .kind = KIND_ZONE, .flags = REQUIRED, .none = "-1",                                \
	  .doc = "Zone. The image is available in every zone.")
#define BOOTABLE P("bootable", is_bootable, .doc = "Whether the ISO is bootable; needs ostypeid.")
static const struct param template_params[] = {
	REGISTERED,
	FORMAT_AND_HYPERVISOR,
	P("zoneid", zone, .kind = KIND_ZONE, .none = "-1",
	  .doc = "Zone. The image is available in every zone."),
	P("zoneids", zones, .kind = KIND_ZONE, .doc = "Zones. The image is available in every zone."),
	DETAILS(struct registration, said),
};
static const struct param iso_params[] = {REGISTERED, ONE_ZONE, BOOTABLE};
static const struct param upload_params[] = {
	ANY_NEW,
	UNBUILT,
	SAID(struct registration, said, REQUIRED),
	PASSWORD(struct registration, said),
	FORMAT_AND_HYPERVISOR,
	ONE_ZONE,
	DETAILS(struct registration, said),
};
static const struct param iso_upload_params[] = {
	ANY_NEW,
	UNBUILT,
	P("name", said.name, .flags = REQUIRED, .doc = "Name."),
	P("displaytext", said.text, .doc = "Display text."),
	P("format", format, .flags = REQUIRED, .doc = "Format: ISO."),
	ONE_ZONE,
	BOOTABLE,
};
#undef P

static RESULT check_zones(struct cs_call *e, const struct registration *a)
{
	const struct zone *zone = NULL;
	struct uuids found;
	if (ref_is_given(&a->zone) && a->zone.bits)
		TRY(engine_find_zone(e->c, cs_tables(e), &a->zone, &zone));
	return cs_find_zones(e, &a->zones, &found);
}

/* Reads "{SHA-256}ab12…"; without an algorithm it is MD5. Source: DigestHelper and ChecksumValue; the
 * messages are our own. */
static RESULT read_checksum(struct cs_call *e, struct str said, struct str *ret_hex)
{
	static const struct {
		const char *word;
		size_t size;
	} algorithms[] = {{"MD5", 32}, {"SHA-256", 64}, {"SHA-512", 128}};
	bool is_named = said.n && said.p[0] == '{';
	size_t end = is_named ? str_find_char(said, '}', 0) : 0, wanted = 0;
	struct str name = is_named ? str_slice(said, 1, end) : STR("MD5");
	struct str hex = is_named ? str_slice(said, end + 1, said.n) : said;
	for (size_t k = 0; k < sizeof algorithms / sizeof *algorithms; k++)
		if (str_equal_nocase(name, str_from(algorithms[k].word)))
			wanted = algorithms[k].size;
	if (!said.n)
		return OK;
	if (!wanted)
		return cs_fail(e, "checksum", "The algorithm %" STR_FMT " is not MD5, SHA-256 or SHA-512",
			       STR_ARG(name));
	for (size_t k = 0; k < hex.n; k++)
		wanted = hex.p[k] && strchr("0123456789abcdefABCDEF", hex.p[k]) ? wanted : 0;
	if (hex.n != wanted)
		return cs_fail(e, "checksum", "%" STR_FMT " is no digest of %" STR_FMT " in hex",
			       STR_ARG(hex), STR_ARG(name));
	*ret_hex = hex;
	return OK;
}

/* Only root administrators' templates can be featured; for others isfeatured is ignored
 * (TemplateAdapterBase.prepare()). The URL's suffix tells whether the file is compressed, as in
 * CloudStack. */
static RESULT take_fetched(struct cs_call *e, struct registration *a)
{
	struct image_form *form = &a->wish.form;
	struct str checksum = STR_NONE;
	TRY(read_checksum(e, a->checksum, &checksum));
	if (checksum.n)
		TRY(set_property(e->c, form, STR(IMAGE_CHECKSUM_PROPERTY), checksum));
	if (image_is_packed(a->fetching.url))
		TRY(set_property(e->c, form, STR(IMAGE_UNPACK_PROPERTY), STR("true")));
	bool is_own = !a->owner.account.n && !ref_is_given(&a->owner.project);
	if (!is_own || !identity_is_admin(e->c->who))
		a->said.is_featured = CHOICE_DEFAULT;
	return OK;
}

static RESULT prepare_registration(struct cs_call *e, struct registration *a, struct str format)
{
	TRY(read_os_type(e, &a->said));
	TRY(check_zones(e, a));
	e->zone = a->zones.count ? &a->zones.at[0] : &a->zone;
	a->wish.form = (struct image_form){
		.visibility = IMAGE_VISIBLE_SHARED, .disk_format = format, .container_format = STR("bare")};
	TRY(take_fetched(e, a));
	return take_said(e->c, &a->said, &a->wish.form);
}

static RESULT prepare_template(struct cs_call *e, void *args)
{
	struct registration *a = args;
	struct str format = cs_read_format(a->format);
	if (!format.n || str_is(format, "iso"))
		return cs_fail(e, "format", "Please specify a valid format: %" STR_FMT, STR_ARG(a->format));
	if (!str_equal_nocase(a->hypervisor, STR("KVM")) && !str_equal_nocase(a->hypervisor, STR("Any")))
		return cs_fail(e, "hypervisor", "Hypervisor Type: %" STR_FMT " is invalid. KVM is supported",
			       STR_ARG(a->hypervisor));
	return prepare_registration(e, a, format);
}

static RESULT prepare_iso(struct cs_call *e, void *args)
{
	struct registration *a = args;
	if (a->is_bootable != CHOICE_NO && !a->said.os_type_id.n)
		return cs_fail(e, "ostypeid", "Please pass a valid GuestOS Id");
	return prepare_registration(e, a, STR("iso"));
}

static RESULT prepare_upload(struct cs_call *e, void *args)
{
	TRY(cs_begin_upload(e));
	return prepare_template(e, args);
}

static RESULT prepare_iso_upload(struct cs_call *e, void *args)
{
	struct registration *a = args;
	if (!str_equal_nocase(a->format, STR("ISO"))) /* the sentence is a guess, by that of templates */
		return cs_fail(e, "format", "Please specify a valid format: %" STR_FMT, STR_ARG(a->format));
	TRY(cs_begin_upload(e));
	return prepare_iso(e, args);
}

static RESULT register_image(struct op *op, void *args)
{
	struct registration *a = args;
	TRY(engine_create_image(op, &a->wish));
	a->fetching.image = cs_ref_of(op->ctx, KIND_IMAGE, a->wish.image, "url");
	return engine_fetch_image(op, &a->fetching);
}

/* Writes a list of the one template. */
static RESULT show_registered(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct registration *a = args;
	const struct api_listing *shown = str_is(a->wish.form.disk_format, "iso") ? &cs_isos : &cs_templates;
	const struct row *row = NULL;
	TRY(cs_find_returned(e, a->wish.image, &row));
	json_write_int(w, "count", 1);
	json_write_open_list(w, shown->item);
	json_write_open(w, NULL);
	members_write(&e->core, w, cs_write_time, &shown->members, row);
	json_write_close(w);
	json_write_close_list(w);
	return OK;
}

/* ---- its data are sent by POST (upload/) ---- */

static RESULT show_upload(struct cs_call *e, const void *args, struct json_writer *w)
{
	return cs_write_upload(e, ((const struct registration *) args)->wish.image, w);
}

/* ---- createTemplate ---- */

struct making {
	struct said said;
	struct cs_owner owner;
	struct ref volume, snapshot;
	uuid image;
};
#define P(wire, member, ...) PARAM(struct making, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	SAID(struct making, said, REQUIRED),
	OS_TYPE(struct making, said, REQUIRED),
	DETAILS(struct making, said),
	PUBLIC(struct making, said),
	PASSWORD(struct making, said),
	P("volumeid", volume, .kind = KIND_VOLUME,
	  .doc = "Volume to create the template from. No running virtual machine may use it."),
	P("snapshotid", snapshot, .kind = KIND_SNAPSHOT,
	  .doc = "Snapshot to create the template from, instead of a volume."),
	CS_FOR_PARAMS(struct making, owner),
	UNBUILT,
	P("isfeatured", said.is_featured, .doc = "Whether the image is featured; for root administrators."),
	NOT_BUILT("url|virtualmachineid|zoneid"),
};
#undef P

static RESULT prepare_create(struct cs_call *e, void *args)
{
	struct making *a = args;
	if (ref_is_given(&a->volume) == ref_is_given(&a->snapshot))
		return cs_fail(e, "volumeid",
			       "Failed to create private template record, either volume or snapshot must be "
			       "specified, and not both");
	bool is_own = !a->owner.account.n && !ref_is_given(&a->owner.project);
	if (!is_own || !identity_is_admin(e->c->who))
		a->said.is_featured = CHOICE_DEFAULT;
	return read_os_type(e, &a->said);
}

/* Takes the attributes of the image that the disk was made from. */
static RESULT make_form(struct op *op, const struct making *a, uuid volume, struct image_form *form)
{
	const struct image *image = engine_find_image_of_volume(op->head, volume);
	*form = image ? engine_image_form(image) : (struct image_form){0};
	form->visibility = IMAGE_VISIBLE_SHARED;
	form->is_protected = form->is_hidden = false;
	form->disk_format = form->container_format = STR_NONE;
	form->min_disk = 0;
	return take_said(op->ctx, &a->said, form);
}

static RESULT make(struct op *op, void *args)
{
	struct making *a = args;
	if (ref_is_given(&a->volume)) {
		struct volume_capture wish = {.volume = a->volume, .also_at_rest = true};
		TRY(make_form(op, a, a->volume.prefix, &wish.form));
		TRY(engine_capture_volume(op, &wish));
		a->image = wish.image;
		return OK;
	}
	const struct snapshot *snapshot = snapshot_find(op->head, a->snapshot.prefix);
	struct snapshot_capture wish = {.snapshot = a->snapshot};
	TRY(make_form(op, a, snapshot ? snapshot->volume : UUID_NONE, &wish.form));
	TRY(engine_capture_snapshot(op, &wish));
	a->image = wish.image;
	return OK;
}

/* ---- of one that there is ---- */

struct template_change {
	struct ref id;
	bool is_iso;
	struct said said;
	struct str op;
	struct strs accounts;
	struct refs projects;
	struct sharing sharing;
	struct ref zone;
	enum choice is_forced;
};
#define P(wire, member, ...) PARAM(struct template_change, wire, member, __VA_ARGS__)
#define ONE P("id", id, .kind = KIND_IMAGE, .flags = REQUIRED, .doc = "The template or ISO.")
static const struct param update_params[] = {
	ONE,
	SAID(struct template_change, said, 0),
	OS_TYPE(struct template_change, said, 0),
	DETAILS(struct template_change, said),
	PASSWORD(struct template_change, said),
	UNBUILT,
	NOT_BUILT("bootable", .only = "true"),
	NOT_BUILT("format"),
};
#define DROPPED                                                                                              \
	ONE, P("zoneid", zone, .kind = KIND_ZONE,                                                            \
	       .doc = "Ignored: templates are in all zones, and are deleted in all.")
static const struct param delete_params[] = {
	DROPPED,
	P("forced", is_forced, .doc = "Deletes it even if virtual machines use it."),
	NOT_BUILT("issystem", .only = "false"),
};
static const struct param delete_iso_params[] = {DROPPED};
static const struct param share_params[] = {
	ONE,
	PUBLIC(struct template_change, said),
	P("op", op, .doc = "Operation: add or remove accounts; reset removes all."),
	P("accounts", accounts, .max = 1000, .doc = "Accounts of the caller's domain, by name."),
	P("projectids", projects, .kind = KIND_ACCOUNT, .max = 1000, .doc = "Projects to share with."),
	OFFERED(struct template_change, said),
};
static const struct param one_params[] = {ONE};
#undef P

static RESULT find_image(struct ctx *c, const struct tables *t, const struct template_change *a,
			 const struct image **ret_image)
{
	TRY(engine_find_own_image(c, t, &a->id, ret_image));
	return engine_is_iso(*ret_image) == a->is_iso ? OK : engine_fail_not_found(c, KIND_IMAGE, &a->id);
}

static RESULT prepare_of_template(struct cs_call *e, void *args)
{
	struct template_change *a = args;
	return read_os_type(e, &a->said);
}

static RESULT prepare_of_iso(struct cs_call *e, void *args)
{
	struct template_change *a = args;
	a->is_iso = true;
	return read_os_type(e, &a->said);
}

static RESULT update(struct op *op, void *args)
{
	struct template_change *a = args;
	const struct image *image = NULL;
	TRY(find_image(op->ctx, op->head, a, &image));
	struct image_rewriting wish = {
		.image = a->id, .gen = image->row.gen, .form = engine_image_form(image)};
	TRY(take_said(op->ctx, &a->said, &wish.form));
	return engine_rewrite_image(op, &wish);
}

static RESULT drop(struct op *op, void *args)
{
	struct template_change *a = args;
	const struct image *image = NULL;
	struct image_target wish = {.image = a->id, .must_be_unused = a->is_forced != CHOICE_YES};
	TRY(find_image(op->ctx, op->head, a, &image));
	return engine_delete_image(op, &wish);
}

/* ---- who may use one ---- */

static RESULT find_accounts(struct cs_call *e, const struct template_change *a, struct refs *ret_accounts)
{
	size_t count = a->accounts.count, most = count + a->projects.count;
	struct ref *refs = arena_new_array(e->c->arena, struct ref, most + 1);
	if (!refs)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < count; k++) {
		const struct account *account =
			account_find_by_domain(cs_tables(e), e->c->who->domain, a->accounts.at[k]);
		if (!account || !row_is_live(&account->row))
			return cs_fail(e, "accounts",
				       "Unable to grant a launch permission to account %" STR_FMT,
				       STR_ARG(a->accounts.at[k]));
		refs[k] = cs_ref_of(e->c, KIND_ACCOUNT, account->row.id, "accounts");
	}
	for (size_t k = count; k < most; k++)
		refs[k] = a->projects.at[k - count];
	*ret_accounts = (struct refs){refs, most};
	return OK;
}

static RESULT prepare_sharing(struct cs_call *e, struct template_change *a)
{
	struct refs accounts;
	if (!identity_is_admin(e->c->who)) /* as above: only root administrators feature templates */
		a->said.is_featured = CHOICE_DEFAULT;
	bool adds = str_equal_nocase(a->op, STR("add")), removes = str_equal_nocase(a->op, STR("remove"));
	TRY(find_accounts(e, a, &accounts));
	a->sharing = (struct sharing){.is_public = a->said.is_public,
				      .reset = str_equal_nocase(a->op, STR("reset")),
				      .field = STR("accounts")};
	if (a->op.n && !adds && !removes && !a->sharing.reset)
		return cs_fail(e, "op",
			       "Invalid operation: op must be add, remove or reset, and is %" STR_FMT,
			       STR_ARG(a->op));
	if (accounts.count && !adds && !removes)
		return cs_fail(
			e, "op",
			"Invalid operation on accounts, the operation must be either 'add' or 'remove' "
			"in order to modify launch permissions.  Given operation is: '%" STR_FMT "'",
			STR_ARG(a->op));
	if (adds)
		a->sharing.add = accounts;
	if (removes)
		a->sharing.remove = accounts;
	return OK;
}

static RESULT prepare_template_sharing(struct cs_call *e, void *args)
{
	return prepare_sharing(e, args);
}

static RESULT prepare_iso_sharing(struct cs_call *e, void *args)
{
	((struct template_change *) args)->is_iso = true;
	return prepare_sharing(e, args);
}

static RESULT share(struct op *op, void *args)
{
	struct template_change *a = args;
	const struct image *image = NULL;
	struct image_settings wish = {.image = a->id, .sharing = a->sharing};
	TRY(find_image(op->ctx, op->head, a, &image));
	TRY(engine_update_image(op, &wish));
	if (a->said.is_extractable == CHOICE_DEFAULT && a->said.is_featured == CHOICE_DEFAULT)
		return OK;
	TRY(find_image(op->ctx, op->head, a, &image));
	struct image_rewriting marks = {
		.image = a->id, .gen = image->row.gen, .form = engine_image_form(image)};
	TRY(take_choice(op->ctx, &marks.form, CS_EXTRACTABLE_PROPERTY, a->said.is_extractable));
	TRY(take_choice(op->ctx, &marks.form, CS_FEATURED_PROPERTY, a->said.is_featured));
	return engine_rewrite_image(op, &marks);
}

static RESULT list_permissions(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct template_change *a = args;
	const struct image *image = NULL;
	TRY(find_image(e->c, cs_tables(e), a, &image));
	json_write_open(w, a->is_iso ? "isopermission" : "templatepermission");
	json_write_text(w, "id", uuid_to_str(e->c->arena, image->row.id));
	json_write_bool(w, "ispublic", image->is_public);
	json_write_text(w, "domainid", uuid_to_str(e->c->arena, e->c->who->domain));
	json_write_open_list(w, "account");
	for (size_t k = 0; k < image->launchers.count; k++) {
		const struct account *account = account_find(cs_tables(e), image->launchers.at[k]);
		if (account)
			json_write_text(w, NULL, account->name);
	}
	json_write_close_list(w);
	json_write_close(w);
	return OK;
}

#define REGISTER(word, rows, prepares, ...)                                                                  \
	{                                                                                                    \
		.name = (word), .permit = "ec2:RegisterImage", .flags = API_WRITES | CS_OF_ACCOUNT,          \
		.args = PARAMS(struct registration, rows), .prepare = (prepares),                            \
		.operation = register_image, .returns = KIND_IMAGE, .answer = show_registered, __VA_ARGS__   \
	}
#define UPLOAD(word, rows, prepares, ...)                                                                    \
	{                                                                                                    \
		.name = (word), .permit = "ec2:RegisterImage", .flags = API_WRITES | CS_OF_ACCOUNT,          \
		.args = PARAMS(struct registration, rows), .prepare = (prepares),                            \
		.operation = engine_await_image_run, .returns = API_RETURNS_NOTHING_STORED,                  \
		.answer = show_upload, .says = CS_UPLOAD_SAYS, __VA_ARGS__                                   \
	}
#define CHANGE(word, action, rows, prepares, run, ...)                                                       \
	{                                                                                                    \
		.name = (word), .permit = (action), .flags = API_WRITES,                                     \
		.args = PARAMS(struct template_change, rows), .prepare = (prepares), .operation = (run),     \
		CS_SUBJECT(struct template_change, id.prefix), __VA_ARGS__                                   \
	}
#define DROP .about = KIND_IMAGE, .outcome = ASYNC_JOB_OUTCOME_GONE, .returns = API_RETURNS_NOTHING_STORED
static const struct cs_action actions[] = {
	REGISTER("registerTemplate", template_params, prepare_template, .says = "count|template",
		 .doc = "Registers a template that is downloaded from a URL."),
	REGISTER("registerIso", iso_params, prepare_iso, .says = "count|iso",
		 .doc = "Registers an ISO that is downloaded from a URL."),
	UPLOAD("getUploadParamsForTemplate", upload_params, prepare_upload,
	       .doc = "Creates a template for an upload and returns the URL to post the data to."),
	UPLOAD("getUploadParamsForIso", iso_upload_params, prepare_iso_upload,
	       .doc = "Creates an ISO for an upload and returns the URL to post the data to."),
	{CS_ACTION("createTemplate", "ec2:CreateImage"),
	 .flags = API_WRITES | CS_OF_ACCOUNT | CS_OWNER_OF_ROW | CS_MAKES,
	 .args = PARAMS(struct making, create_params), .prepare = prepare_create, .operation = make,
	 CS_SUBJECT(struct making, image), .shows = &cs_templates, CS_JOB(MADE),
	 .doc = "Creates a template from a volume or a snapshot."},
	CHANGE("updateTemplate", "ec2:ModifyImageAttribute", update_params, prepare_of_template, update,
	       .returns = KIND_IMAGE, .shows = &cs_templates, .doc = "Changes the properties of a template."),
	CHANGE("updateIso", "ec2:ModifyImageAttribute", update_params, prepare_of_iso, update,
	       .returns = KIND_IMAGE, .shows = &cs_isos, .doc = "Changes the properties of an ISO."),
	CHANGE("deleteTemplate", "ec2:DeregisterImage", delete_params, NULL, drop, DROP,
	       .doc = "Deletes a template."),
	CHANGE("deleteIso", "ec2:DeregisterImage", delete_iso_params, prepare_of_iso, drop, DROP,
	       .doc = "Deletes an ISO."),
	CHANGE("updateTemplatePermissions", "ec2:ModifyImageAttribute", share_params,
	       prepare_template_sharing, share, .returns = API_RETURNS_NOTHING_STORED,
	       .doc = "Changes which accounts may use a template."),
	CHANGE("updateIsoPermissions", "ec2:ModifyImageAttribute", share_params, prepare_iso_sharing, share,
	       .returns = API_RETURNS_NOTHING_STORED, .doc = "Changes which accounts may use an ISO."),
	{CS_ACTION("listTemplatePermissions", "ec2:DescribeImageAttribute"),
	 .args = PARAMS(struct template_change, one_params), .answer = list_permissions,
	 .says = "id|ispublic|domainid|account", .doc = "Lists the accounts that may use a template."},
	{CS_ACTION("listIsoPermissions", "ec2:DescribeImageAttribute"),
	 .args = PARAMS(struct template_change, one_params), .prepare = prepare_of_iso,
	 .answer = list_permissions, .says = "id|ispublic|domainid|account",
	 .doc = "Lists the accounts that may use an ISO."},
};
const struct api_actions cs_template_change_actions = API_ACTIONS(actions);
