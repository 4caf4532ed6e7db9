/* SPDX-License-Identifier: Apache-2.0
 * dari image get …: downloads a vendor's image by its catalogue name. The checksum file is downloaded and its
 * signature verified first; the image is compared with its checksum before it is used. A failure leaves
 * nothing behind. */
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "daemon/command.h"
#include "drivers/image/image_file.h"
#include "drivers/signature.h"
#include "drivers/web_fetch.h"
#include "engine/storage/image/image.h"
#include "model/image_catalogue.h"
#include "store/image.h"

enum {
	LISTING_MAX = 4 << 20,
	SIGNATURE_MAX = 1 << 16,
	KEY_MAX = 1 << 18,
	DOCUMENT_TIMEOUT_MS = 120000,
	LOGIN_LINKS_MAX = 10000
};

struct getting {
	struct command_call *call;
	const struct image_source *source;
	enum image_arch arch;
	struct str version;
	struct str base;       /* a URL ending with a slash; with --from: file:/// and the directory */
	bool is_vendors_own;   /* base is the vendor's own URL */
	const char *directory; /* --from; NULL: none */
};

static struct ctx *ctx_of(const struct getting *g)
{
	return &g->call->ctx;
}

static struct str fill(const struct getting *g, const char *template)
{
	return image_source_fill(ctx_of(g)->arena, g->source, template, (int) g->arch, g->version);
}

/* The part after the last slash. */
static struct str last_segment(struct str path)
{
	struct str piece = STR_NONE, last = path;
	while (str_split_next(&path, '/', &piece))
		last = piece.n ? piece : last;
	return last;
}

/* ---- source ---- */

static struct str with_slash(struct arena *a, struct str url)
{
	return str_ends_with(url, STR("/")) ? url : str_print(a, "%" STR_FMT "/", STR_ARG(url));
}

/* Replaces "{vendor}" in a mirror's URL by the vendor's name, so that one setting serves all vendors. */
static struct str fill_vendor(const struct getting *g, struct str mirror)
{
	const struct str word = STR("{vendor}");
	size_t at = str_find_char(mirror, '{', 0);
	if (!str_starts_with(str_slice(mirror, at, mirror.n), word))
		return mirror;
	return str_print(ctx_of(g)->arena, "%" STR_FMT "%s%" STR_FMT, STR_ARG(str_slice(mirror, 0, at)),
			 g->source->vendor->name, STR_ARG(str_slice(mirror, at + word.n, mirror.n)));
}

static void choose_base(struct getting *g)
{
	struct arena *a = ctx_of(g)->arena;
	struct str from = command_arg(g->call, "from"), mirror = command_arg(g->call, "mirror");
	if (str_is_empty(mirror))
		mirror = g->call->daemon->settings.image_mirror;
	g->is_vendors_own = str_is_empty(from) && str_is_empty(mirror);
	g->base =
		g->is_vendors_own ? str_from(g->source->vendor->base) : with_slash(a, fill_vendor(g, mirror));
	if (from.n) {
		g->directory = str_to_z(a, from);
		g->base = with_slash(
			a, str_print(a, "file://%" STR_FMT, STR_ARG(str_encode_url(a, from, true))));
	}
}

/* The URL of a vendor's file. A directory may have the vendor's structure, or all files at its top level. */
static struct str url_of(const struct getting *g, struct str path)
{
	struct arena *a = ctx_of(g)->arena;
	if (g->directory) {
		const char *whole = str_to_z(a, str_print(a, "%s/%" STR_FMT, g->directory, STR_ARG(path)));
		if (!file_exists(whole))
			path = last_segment(path);
	}
	return str_print(a, "%" STR_FMT "%" STR_FMT, STR_ARG(g->base), STR_ARG(path));
}

static RESULT fetch(const struct getting *g, struct str url, size_t cap_size, struct str *ret_text)
{
	struct ctx *c = ctx_of(g);
	const struct web_fetch wish = {.url = str_to_z(c->arena, url),
				       .cap_size = cap_size,
				       .timeout_ms = DOCUMENT_TIMEOUT_MS,
				       .from_anywhere = true};
	return web_fetch_get(c, &wish, ret_text);
}

/* ---- version ---- */

/* Lists a local directory, one entry per line. */
static RESULT list_directory(struct ctx *c, const char *path, struct str *ret_names)
{
	DIR *dir = opendir(path);
	struct buf names;
	size_t count = 0;
	if (!dir)
		return ctx_fail(c, ERR_NOT_FOUND, "cannot read the directory %s: %s", path,
				strerrordesc_np(errno));
	buf_init(&names, LISTING_MAX);
	for (const struct dirent *e; count < LOGIN_LINKS_MAX && (e = readdir(dir)); count++)
		buf_print(&names, "%s\n", e->d_name);
	(void) closedir(dir);
	*ret_names = str_copy(c->arena, buf_str(&names));
	buf_done(&names);
	return OK;
}

/* For a mirror with the vendor's structure, reads its listing; otherwise uses the directory's file names. */
static RESULT read_listing(const struct getting *g, struct str *ret_listing)
{
	struct ctx *c = ctx_of(g);
	struct str path = fill(g, g->source->listing);
	if (!g->directory)
		return fetch(g, url_of(g, path), LISTING_MAX, ret_listing);
	const char *whole =
		str_to_z(c->arena, str_print(c->arena, "%s/%" STR_FMT, g->directory, STR_ARG(path)));
	if (!file_exists(whole))
		return list_directory(c, g->directory, ret_listing);
	return str_ends_with(path, STR("/")) ? list_directory(c, whole, ret_listing)
					     : file_read(c, whole, LISTING_MAX, ret_listing);
}

/* Finds the newest version in the listing. In a flat directory, the words are file names. */
static RESULT find_version(struct getting *g)
{
	struct ctx *c = ctx_of(g);
	struct str listing = STR_NONE;
	TRY(read_listing(g, &listing));
	struct image_source by_file = *g->source;
	const char *slash = strrchr(by_file.file, '/');
	g->version = image_source_newest(c->arena, g->source, (int) g->arch, listing);
	by_file.mark = slash ? slash + 1 : by_file.file;
	if (str_is_empty(g->version) && strstr(by_file.mark, "{v}"))
		g->version = image_source_newest(c->arena, &by_file, (int) g->arch, listing);
	if (str_is_empty(g->version) && g->directory)
		return ctx_fail(c, ERR_NOT_FOUND,
				"the directory %s has no version of %s: copy the image there, with its "
				"checksum file and signature, or name the version: dari image get %s@VERSION "
				"--from %s",
				g->directory, g->source->name, g->source->name, g->directory);
	if (str_is_empty(g->version))
		return ctx_fail(c, ERR_NOT_FOUND,
				"%" STR_FMT " names no version of %s; say one: dari image get %s@VERSION",
				STR_ARG(url_of(g, fill(g, g->source->listing))), g->source->name,
				g->source->name);
	return OK;
}

/* ---- verification ---- */

static RESULT read_key(const struct getting *g, struct signature_check *check)
{
	struct str own = command_arg(g->call, "key");
	check->key = *g->source->key->armored;
	check->fingerprint = g->source->key->fingerprint;
	if (str_is_empty(own))
		return OK;
	check->fingerprint = NULL;
	return file_read(ctx_of(g), str_to_z(ctx_of(g)->arena, own), KEY_MAX, &check->key);
}

/* Verification result for messages and --json. */
static const char *trust_of(const struct getting *g)
{
	if (g->source->signing != IMAGE_SIGNING_NONE)
		return "signature";
	return str_starts_with(g->base, STR("https:")) ? "https" : "unsigned";
}

/* Checksums without a signature are only as trustworthy as their transport. */
static RESULT check_way(const struct getting *g)
{
	if (strcmp(trust_of(g), "unsigned") != 0 || json_is_true(json_object_get(g->call->args, "unsigned")))
		return OK;
	return ctx_fail(ctx_of(g), ERR_UNSUPPORTED,
			"%s does not sign the checksums of %s, and these do not come over https: --unsigned "
			"takes them as they are",
			g->source->vendor->title, g->source->name);
}

static RESULT verify(const struct getting *g, struct str url, struct str *sums)
{
	struct ctx *c = ctx_of(g);
	struct signature_check check = {.text = *sums};
	if (g->source->signing == IMAGE_SIGNING_NONE)
		return check_way(g);
	if (g->source->signing == IMAGE_SIGNING_DETACHED)
		TRY(fetch(g, url_of(g, fill(g, g->source->signature)), SIGNATURE_MAX, &check.signature));
	TRY(read_key(g, &check));
	struct result result = signature_verify(c, &check, sums);
	if (result.code != ERR_INVALID)
		return result;
	struct str why = c->problem.message;
	ctx_clear_problem(c);
	return ctx_fail(c, ERR_INVALID, "the signature of %" STR_FMT " does not hold: %" STR_FMT,
			STR_ARG(url), STR_ARG(why));
}

/* Determines the image's expected digest, verified as far as the vendor permits. */
static RESULT find_digest(const struct getting *g, struct str file, struct str *ret_digest)
{
	struct ctx *c = ctx_of(g);
	struct str url = url_of(g, fill(g, g->source->sums)), sums = STR_NONE;
	TRY(fetch(g, url, SIGNATURE_TEXT_MAX, &sums));
	TRY(verify(g, url, &sums));
	*ret_digest = image_sums_find(sums, g->source->form, file);
	if (str_is_empty(*ret_digest))
		return ctx_fail(c, ERR_INVALID, "%" STR_FMT " has no one SHA-256 or SHA-512 of %" STR_FMT,
				STR_ARG(url), STR_ARG(file));
	return OK;
}

static RESULT fetch_image(const struct getting *g, struct image_file *ret_file)
{
	struct ctx *c = ctx_of(g);
	struct str path = fill(g, g->source->file), digest = STR_NONE;
	const char *url = str_to_z(c->arena, url_of(g, path));
	AUTO(image_upload) upload = NULL;
	TRY(find_digest(g, last_segment(path), &digest));
	TRY(image_upload_new(c, settings_path(c->arena, &g->call->daemon->settings, "images"), &upload));
	const struct image_fetch wish = {.url = url, .cap_size = IMAGE_DATA_MAX, .from_anywhere = true};
	TRY(image_upload_fetch(upload, c, &wish));
	struct result result = image_upload_check(upload, c, digest);
	if (result.code == ERR_INVALID) {
		struct str why = c->problem.message;
		ctx_clear_problem(c);
		return ctx_fail(c, ERR_INVALID, "%s is not what its checksum says: %" STR_FMT, url,
				STR_ARG(why));
	}
	TRY(result);
	return image_upload_import(upload, c, STR_NONE, NULL, ret_file);
}

/* ---- the row ---- */

static struct tag tag_of(const char *key, const char *value)
{
	return (struct tag){.key = str_from(key), .value = str_from(value)};
}

static RESULT make(struct getting *g, const struct image_file *file)
{
	const struct image_source *s = g->source;
	struct tag properties[] = {tag_of("os_distro", s->distro),
				   tag_of("os_version", s->release),
				   tag_of("os_admin_user", s->login),
				   tag_of("image_family", s->name),
				   {.key = STR("image_version"), .value = g->version}};
	struct image_import wish = {
		.name = fill(g, s->ec2_name),
		.description = fill(g, s->description),
		.is_public = true,
		.arch = g->arch,
		.boot_mode = g->arch == IMAGE_ARCH_ARM64 ? IMAGE_BOOT_MODE_UEFI : IMAGE_BOOT_MODE_UNSAID,
		.virtual_size = file->virtual_size,
		.file_size = file->file_size,
		.sha256 = file->sha256,
		.properties = {properties, sizeof properties / sizeof properties[0]},
		.vendor = str_from(s->vendor->account),
		.family = str_from(s->name),
		.version = g->version,
	};
	return command_commit(g->call, "dari:image get", engine_import_image_run, &wish);
}

/* Reports an image; false: not present. is_made: downloaded by this call. */
static bool write_answer(struct getting *g, bool is_made)
{
	AUTO_VIEW view = {0};
	view_open(g->call->daemon->store, &view);
	const struct image_source *s = g->source;
	const struct image *image =
		engine_find_image_version(view.tables, str_from(s->name), g->arch, g->version);
	const struct image *latest =
		engine_find_image_version(view.tables, str_from(s->name), g->arch, STR_NONE);
	if (!image)
		return false;
	bool is_latest = latest == image;
	struct str id = id_to_ec2(ctx_of(g)->arena, KIND_IMAGE, image->row.id);
	buf_print(&g->call->text, "%" STR_FMT "  %" STR_FMT "  %s%s\n", STR_ARG(id), STR_ARG(image->name),
		  is_made ? "" : "was here already, ", is_latest ? "the latest" : "not the latest");
	if (is_made && strcmp(trust_of(g), "signature") != 0)
		buf_print(&g->call->text, "its checksums are not signed; %s\n",
			  g->is_vendors_own ? "they came from the vendor over https"
					    : "they are those of the place that it came from");
	g->call->value = json_pack("{s:s%, s:s%, s:s, s:s%, s:b, s:b, s:s, s:s}", "image_id", id.p, id.n,
				   "name", image->name.p, image->name.n, "family", s->name, "version",
				   image->version.p, image->version.n, "latest", (int) is_latest, "made",
				   (int) is_made, "login", s->login, "checked_by", trust_of(g));
	return true;
}

/* ---- catalogue ---- */

static RESULT list_catalogue(struct command_call *call)
{
	AUTO_VIEW view = {0};
	size_t count = 0;
	const struct image_source *s = image_catalogue(&count);
	view_open(call->daemon->store, &view);
	call->value = json_array();
	buf_print(&call->text, "%-18s %-14s %-12s %-10s %-10s %s\n", "name", "vendor", "signed", "login",
		  "also", "here");
	for (; count--; s++) {
		const struct image *here = engine_find_image_version(view.tables, str_from(s->name),
								     IMAGE_ARCH_X86_64, STR_NONE);
		struct str version = here ? here->version : STR("");
		bool is_signed = s->signing != IMAGE_SIGNING_NONE;
		buf_print(&call->text, "%-18s %-14s %-12s %-10s %-10s %" STR_FMT "\n", s->name,
			  s->vendor->title, is_signed ? "OpenPGP" : "https alone", s->login,
			  s->alias ? s->alias : "", STR_ARG(version));
		(void) json_array_append_new(
			call->value, json_pack("{s:s, s:s, s:s, s:b, s:s, s:s, s:s%}", "name", s->name,
					       "vendor", s->vendor->title, "owner", s->vendor->account,
					       "signed", (int) is_signed, "login", s->login, "url",
					       s->vendor->base, "latest_here", version.p, version.n));
	}
	return OK;
}

/* Parses NAME or NAME@VERSION, and the architecture. */
static RESULT read_wish(struct getting *g)
{
	struct ctx *c = ctx_of(g);
	struct str arch = command_arg(g->call, "arch"), rest = command_arg(g->call, "name"), name = STR_NONE;
	(void) str_split_next(&rest, '@', &name);
	g->source = image_source_find(name);
	if (!g->source)
		return ctx_fail_field(c, ERR_NOT_FOUND, STR("name"),
				      "the catalogue has no \"%" STR_FMT
				      "\": dari image get --list says what it has",
				      STR_ARG(name));
	if (arch.n && !str_is(arch, image_arch_words[IMAGE_ARCH_X86_64]) &&
	    !str_is(arch, image_arch_words[IMAGE_ARCH_ARM64]))
		return ctx_fail_field(c, ERR_INVALID, STR("arch"), "--arch is x86_64 or arm64");
	g->arch = str_is(arch, image_arch_words[IMAGE_ARCH_ARM64]) ? IMAGE_ARCH_ARM64 : IMAGE_ARCH_X86_64;
	g->version = rest;
	if (rest.n && !image_source_has_form(g->source, rest))
		return ctx_fail_field(c, ERR_INVALID, STR("name"),
				      "%s has no version such as \"%" STR_FMT "\"", g->source->vendor->title,
				      STR_ARG(rest));
	if (command_arg(g->call, "key").n && g->source->signing == IMAGE_SIGNING_NONE)
		return ctx_fail_field(c, ERR_INVALID, STR("key"), "%s is not signed: no key would be asked",
				      g->source->name);
	return OK;
}

static RESULT image_get(struct command_call *call)
{
	struct getting g = {.call = call};
	struct image_file file = {0};
	if (command_has_flag(call, "list"))
		return list_catalogue(call);
	if (str_is_empty(command_arg(call, "name")))
		return ctx_fail_field(&call->ctx, ERR_MISSING, STR("name"),
				      "which one? dari image get --list says what there is");
	TRY(read_wish(&g));
	choose_base(&g);
	if (str_is_empty(g.version))
		TRY(find_version(&g));
	if (write_answer(&g, false))
		return OK;
	TRY(fetch_image(&g, &file));
	TRY(make(&g, &file));
	return write_answer(&g, true) ? OK
				      : ctx_fail(&call->ctx, ERR_NOT_FOUND, "the image was deleted again");
}

const struct command image_get_commands[] = {
	{"image get",
	 "Downloads and verifies a vendor's image, and makes it public. An image that exists is not changed.",
	 {{"name", PARAM_POSITIONAL, false,
	   "Name in the catalogue, such as debian-12 or debian-12@20260711-2187."},
	  {"list", PARAM_FLAG, false, "Lists the catalog, and which images are imported."},
	  {"mirror", PARAM_OPTION, false,
	   "URL of a mirror; {vendor} stands for the vendor's name (default: images.mirror)."},
	  {"from", PARAM_OPTION, false, "Directory with the image, its checksum file and its signature.",
	   .is_path = true},
	  {"arch", PARAM_OPTION, false, "x86_64 or arm64 (default: x86_64)."},
	  {"key", PARAM_OPTION, false,
	   "File with the OpenPGP key of the mirror, used instead of the vendor's.", .is_path = true},
	  {"unsigned", PARAM_FLAG, false, "Accepts unsigned checksums that were not downloaded by HTTPS."}},
	 .run = image_get,
	 .is_anywhere = true},
	{0},
};
