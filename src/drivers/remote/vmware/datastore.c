/* SPDX-License-Identifier: Apache-2.0
 * Reads the file of a frozen disk from its datastore, over HTTP, where the server exports no snapshots. Below a snapshot the file
 * does not change. Source: vSphere Web Services SDK programming guide 8.0, "HTTP access to vSphere server files", and the
 * documented format of VMDK descriptors. */
#include "drivers/remote/draft.h"
#include "drivers/remote/vmware/soap.h"
#include "drivers/remote/vmware/source.h"

enum { HEAD_SIZE = 65536, DATACENTERS_PAGE = 500, PATH_MAX_SIZE = 1024 };

static RESULT ignore_begin(void *self, struct str type, struct str ref)
{
	(void) self, (void) type, (void) ref;
	return OK;
}

static RESULT ignore_end(void *self)
{
	(void) self;
	return OK;
}

/* ---- the file ---- */

struct finding {
	struct ctx *c;
	int64_t wanted, place; /* among the disks */
	struct str type, path, found;
	bool has_parent, found_has_parent;
};

static RESULT enter_device(void *self, struct str property, struct str below, struct str xsi_type)
{
	struct finding *f = self;
	(void) property;
	if (str_is(below, "VirtualDevice")) {
		f->type = str_copy(f->c->arena, str_cut(xsi_type, DRAFT_WORD_MAX));
		f->path = STR_NONE;
		f->has_parent = false;
	}
	return OK;
}

static RESULT take_device(void *self, struct str property, struct str below, struct str text)
{
	struct finding *f = self;
	(void) property;
	if (str_is(below, "VirtualDevice/backing/fileName") && str_is_line(text))
		f->path = str_copy(f->c->arena, str_cut(text, PATH_MAX_SIZE));
	f->has_parent |= str_is(below, "VirtualDevice/backing/parent/fileName");
	if (!str_is(below, "VirtualDevice") || !str_is(f->type, "VirtualDisk") || f->place++ != f->wanted)
		return OK;
	f->found = f->path;
	f->found_has_parent = f->has_parent;
	return OK;
}

/* The disk's file in the snapshot, "[DATASTORE] FOLDER/NAME.vmdk". */
static RESULT find_file(struct ctx *c, struct remote *r, const struct remote_download *download,
			struct str *ret_datastore, struct str *ret_path)
{
	static const char *const properties[] = {"config.hardware.device", NULL};
	struct finding f = {.c = c, .wanted = download->number};
	TRY(vmware_get_object(
		c, r, &(struct vmware_get){"VirtualMachineSnapshot", download->point, properties},
		&(struct vmware_visitor){&f, ignore_begin, enter_device, take_device, ignore_end}));
	size_t end = str_find_char(f.found, ']', 0);
	if (!str_starts_with(f.found, STR("[")) || end + 2 >= f.found.n)
		return remote_fail_answer(c, "a disk of the snapshot has no file");
	if (f.found_has_parent)
		return ctx_fail(c, ERR_INVALID,
				"The server exports no snapshots, and a disk has snapshots of before, below "
				"which its file is "
				"not whole. Remove them.");
	*ret_datastore = str_slice(f.found, 1, end);
	*ret_path = str_slice(f.found, end + 2, f.found.n);
	return OK;
}

/* ---- the datacenter ---- */

struct naming {
	struct ctx *c;
	struct str name;
	size_t count;
};

static RESULT take_name(void *self, struct str property, struct str below, struct str text)
{
	struct naming *n = self;
	if (str_is(property, "name") && !below.n && n->count++ == 0)
		n->name = str_copy(n->c->arena, str_cut(text, DRAFT_ID_MAX));
	return OK;
}

/* Files are named below a datacenter. */
static RESULT find_datacenter(struct ctx *c, struct remote *r, struct str *ret_name)
{
	static const char *const properties[] = {"name", NULL};
	const struct vmware_listing listing = {"Datacenter", properties, DATACENTERS_PAGE};
	struct naming n = {.c = c};
	struct vmware_page page;
	*ret_name = r->region;
	if (!str_is(r->region, "all"))
		return OK;
	TRY(vmware_list_objects(c, r, &listing, STR_NONE,
				&(struct vmware_visitor){&n, ignore_begin, NULL, take_name, ignore_end},
				&page));
	*ret_name = n.name;
	return n.count == 1 ? OK
			    : ctx_fail(c, ERR_INVALID,
				       "The server exports no snapshots, and has several datacenters. Add a "
				       "provider whose region "
				       "is the machine's datacenter.");
}

/* ---- reading ---- */

struct place {
	struct str datacenter, datastore, path;
};

static RESULT url_of(struct ctx *c, const struct remote *r, const struct place *p, struct str *ret_url)
{
	struct remote_url own;
	TRY(remote_parse_url(c, r->endpoint, &own));
	*ret_url = str_print(
		c->arena,
		"%" STR_FMT "://%" STR_FMT "/folder/%" STR_FMT "?dcPath=%" STR_FMT "&dsName=%" STR_FMT,
		STR_ARG(own.scheme), STR_ARG(own.host), STR_ARG(str_encode_url(c->arena, p->path, true)),
		STR_ARG(str_encode_url(c->arena, p->datacenter, false)),
		STR_ARG(str_encode_url(c->arena, p->datastore, false)));
	return ret_url->p ? OK : ctx_no_memory(c);
}

/* taker NULL: the first bytes of the file alone, which *ret_head gets. */
static RESULT get(struct ctx *c, struct remote *r, const struct place *p,
		  const struct remote_body_taker *taker, struct str *ret_head)
{
	struct remote_answer http = {0};
	struct remote_request request = {.method = "GET", .taker = taker, .headers = {"Accept: */*"}};
	TRY(url_of(c, r, p, &request.url));
	request.headers[1] = str_to_z(c->arena, str_print(c->arena, "Cookie: vmware_soap_session=%s",
							  remote_session_peek(r)->token));
	if (!taker)
		request.headers[2] =
			str_to_z(c->arena, str_print(c->arena, "Range: bytes=0-%d", HEAD_SIZE - 1));
	struct result result = remote_send(c, r, &request, &http);
	if (!taker)
		*ret_head = str_copy(c->arena, str_cut(buf_str(&http.body), HEAD_SIZE));
	buf_done(&http.body);
	TRY(result);
	if (http.status == 404)
		return ctx_fail(c, ERR_NOT_FOUND, "The datastore has no file %" STR_FMT ".",
				STR_ARG(p->path));
	return http.status == 200 || http.status == 206
		       ? OK
		       : ctx_fail(c, ERR_AGAIN, "The datastore answers with status %d.", http.status);
}

/* Name of the only extent of a descriptor, if it is a flat file beside the descriptor; empty: it is not. */
static struct str find_extent(struct str text)
{
	struct str rest = text, line = STR_NONE, found = STR_NONE;
	size_t count = 0;
	while (str_split_next(&rest, '\n', &line)) {
		struct str words = STR_NONE, name = STR_NONE;
		line = str_trim(line);
		if (!str_starts_with(line, STR("RW ")) && !str_starts_with(line, STR("RDONLY ")))
			continue;
		count++;
		(void) str_split_next(&line, '"', &words);
		(void) str_split_next(&line, '"', &name);
		words = str_trim(words);
		if (str_ends_with(words, STR(" VMFS")) || str_ends_with(words, STR(" FLAT")))
			found = name;
	}
	return count == 1 && str_is_line(found) && !str_contains(found, STR("/")) ? found : STR_NONE;
}

RESULT vmware_read_datastore(struct ctx *c, struct remote *r, struct remote_download *download)
{
	const struct remote_body_taker taker = {download->add, download->goes_on, download->arg};
	struct place place = {0};
	struct str head = STR_NONE;
	TRY(find_file(c, r, download, &place.datastore, &place.path));
	TRY(find_datacenter(c, r, &place.datacenter));
	TRY(get(c, r, &place, NULL, &head));
	if (!str_starts_with(head, STR("KDMV"))) { /* a descriptor, of a file beside it */
		struct str name = find_extent(head), folder = place.path;
		while (folder.n && folder.p[folder.n - 1] != '/')
			folder.n--;
		if (!name.n)
			return ctx_fail(c, ERR_INVALID, "The disk's file %" STR_FMT " is no flat VMDK.",
					STR_ARG(place.path));
		place.path = str_print(c->arena, "%" STR_FMT "%" STR_FMT, STR_ARG(folder), STR_ARG(name));
		download->format = STR("raw");
	}
	return get(c, r, &place, &taker, NULL);
}
