/* SPDX-License-Identifier: Apache-2.0
 * Serves the files of noVNC's package. The path comes from the client, so only plain names that do not begin with a
 * dot are accepted. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/console/internal.h"
#include "base/file.h"

static bool is_plain_name(struct str name)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	bool is_plain = name.n > 0 && name.p[0] != '.';
	for (size_t k = 0; k < name.n && is_plain; k++)
		is_plain = memchr(plain, name.p[k], sizeof plain - 1) != NULL;
	return is_plain;
}

static bool is_plain_path(struct str path)
{
	struct str name;
	bool is_plain = path.n > 0;
	while (is_plain && str_split_next(&path, '/', &name))
		is_plain = is_plain_name(name);
	return is_plain;
}

/* NULL: nothing of that kind is served. */
static const char *type_of(struct str path)
{
	static const struct {
		const char *end, *type;
	} rows[] = {
		{".html", "text/html; charset=utf-8"},
		{".js", "text/javascript; charset=utf-8"},
		{".css", "text/css; charset=utf-8"},
		{".json", "application/json"},
		{".svg", "image/svg+xml"},
		{".png", "image/png"},
		{".ico", "image/x-icon"},
		{".ttf", "font/ttf"},
		{".woff", "font/woff"},
		{".woff2", "font/woff2"},
		{".oga", "audio/ogg"},
		{".mp3", "audio/mpeg"},
	};
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
		if (str_ends_with(path, str_from(rows[k].end)))
			return rows[k].type;
	return NULL;
}

/* -1: there is none. */
static int open_file(struct call *call, struct str directory, struct str path, int64_t *ret_size)
{
	struct stat about = {0};
	struct str whole =
		str_print(call->ctx.arena, "%" STR_FMT "/%" STR_FMT, STR_ARG(directory), STR_ARG(path));
	AUTO_FD fd = whole.p ? open(whole.p, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
	if (fd < 0 || fstat(fd, &about) != 0 || !S_ISREG(about.st_mode))
		return -1;
	*ret_size = about.st_size;
	int taken = fd;
	fd = -1;
	return taken;
}

void console_send_file(struct call *call, struct str directory, struct str path)
{
	int64_t size = 0;
	const char *type = type_of(path);
	int fd = type && is_plain_path(path) ? open_file(call, directory, path, &size) : -1;
	if (fd < 0 && str_is(path, "vnc.html")) {
		console_answer_words(
			call, 503,
			str_print(call->ctx.arena,
				  "noVNC is not installed where dari runs: %" STR_FMT
				  " has no vnc.html. Debian's package novnc brings it (apt install "
				  "--no-install-recommends novnc); consoles.novnc says where it is.",
				  STR_ARG(directory)));
		return;
	}
	if (fd < 0) {
		console_answer_words(call, 404, STR("There is no such page."));
		return;
	}
	console_set_page_headers(call);
	call_set_answer_header(call, "Cache-Control", STR("max-age=3600"));
	call_answer_file(call, 200, type, fd, size);
}
