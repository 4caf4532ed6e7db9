/* SPDX-License-Identifier: Apache-2.0
 * Shares are counted for the whole process rather than per file system: all bulk data are below
 * data.directory, and overestimating merely refuses earlier. */
#include "base/disk_room.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/str.h"

enum { FLOOR_PART = 20, FLOOR_MIN = 16 << 20, FLOOR_MAX = 1 << 30 };

static pthread_mutex_t shares_lock = PTHREAD_MUTEX_INITIALIZER; /* guards the next two, and each share */
static int64_t shared_size;
static struct disk_share *shares; /* list of the shares charged to an account */

static int read_figures(const char *directory, struct statvfs *ret_figures)
{
	if (statvfs(directory, ret_figures) == 0)
		return 0;
	char parent[4096];
	size_t n = strlen(directory);
	while (n > 1 && directory[n - 1] != '/')
		n--;
	if (errno != ENOENT || n <= 1 || n >= sizeof parent)
		return -1;
	memcpy(parent, directory, n);
	parent[n] = 0;
	return statvfs(parent, ret_figures);
}

static bool read_room(const char *directory, struct disk_room *ret_room)
{
	struct statvfs st;
	if (read_figures(directory, &st) != 0)
		return false;
	int64_t unit = (int64_t) st.f_frsize, all = (int64_t) st.f_blocks * unit, least = FLOOR_MIN;
	int64_t floor = all / FLOOR_PART;
	if (least > all / 4)
		least = all / 4;
	*ret_room = (struct disk_room){
		.free_size = (int64_t) st.f_bavail * unit,
		.floor_size = floor > FLOOR_MAX ? FLOOR_MAX
			      : floor < least   ? least
						: floor,
	};
	return true;
}

RESULT disk_room_read(struct ctx *c, const char *directory, struct disk_room *ret_room)
{
	return read_room(directory, ret_room)
		       ? OK
		       : ctx_fail(c, ERR_IO, "the file system of data.directory: %s", strerrordesc_np(errno));
}

bool disk_room_is_low(const char *directory)
{
	struct disk_room room;
	return read_room(directory, &room) && room.free_size < room.floor_size;
}

/* With the lock held. */
static int64_t find_largest(const struct disk_room *room)
{
	int64_t largest = room->free_size - room->floor_size - shared_size;
	return largest > 0 ? largest : 0;
}

RESULT disk_room_fail(struct ctx *c, int64_t size)
{
	return ctx_fail(
		c, ERR_CAPACITY,
		"The region has no room for %lld MiB more just now. Delete images or snapshots that nobody "
		"needs, or try again later.",
		(long long) ((size >> 20) + 1));
}

static bool is_charged(const struct disk_payer *payer)
{
	return payer && !uuid_is_none(payer->account);
}

/* With the lock held. */
static int64_t find_left(const struct disk_payer *payer)
{
	int64_t left = payer->left_size;
	for (const struct disk_share *s = shares; s; s = s->next)
		if (uuid_equal(s->payer.account, payer->account))
			left -= s->left_size + s->used_size;
	return left > 0 ? left : 0;
}

/* With the lock held. */
static void link_share(struct disk_share *s)
{
	if (!is_charged(&s->payer) || s->previous || shares == s)
		return;
	s->next = shares;
	if (shares)
		shares->previous = s;
	shares = s;
}

/* With the lock held. */
static void unlink_share(struct disk_share *s)
{
	if (shares == s)
		shares = s->next;
	if (s->next)
		s->next->previous = s->previous;
	if (s->previous)
		s->previous->next = s->next;
	s->next = s->previous = NULL;
}

static RESULT fail_quota(struct ctx *c, const struct disk_payer *payer, int64_t size)
{
	return ctx_fail_kind(
		c, ERR_QUOTA, payer->kind,
		"The account's limit for files of images, snapshots, backups and tickets leaves no %lld MiB "
		"more. Delete some, or ask for a higher limit.",
		(long long) ((size >> 20) + 1));
}

RESULT disk_share_take(struct disk_share *s, struct ctx *c, const char *directory, int64_t size)
{
	struct disk_room room;
	int64_t more = size - s->left_size;
	if (more <= 0)
		return OK;
	TRY(disk_room_read(c, directory, &room));
	(void) pthread_mutex_lock(&shares_lock);
	bool has_room = more <= find_largest(&room);
	bool is_left = !is_charged(&s->payer) || more <= find_left(&s->payer);
	if (has_room && is_left) {
		link_share(s);
		shared_size += more;
		s->left_size += more;
	}
	(void) pthread_mutex_unlock(&shares_lock);
	return !is_left ? fail_quota(c, &s->payer, more) : !has_room ? disk_room_fail(c, more) : OK;
}

void disk_share_use(struct disk_share *s, int64_t size)
{
	(void) pthread_mutex_lock(&shares_lock);
	int64_t used = size < s->left_size ? size : s->left_size;
	s->left_size -= used;
	s->used_size += used;
	shared_size -= used;
	(void) pthread_mutex_unlock(&shares_lock);
}

void disk_share_end(struct disk_share *s)
{
	(void) pthread_mutex_lock(&shares_lock);
	shared_size -= s->left_size;
	s->left_size = s->used_size = 0;
	unlink_share(s);
	(void) pthread_mutex_unlock(&shares_lock);
}

RESULT disk_room_check(struct ctx *c, const char *directory, int64_t size)
{
	return disk_room_check_for(c, NULL, directory, size);
}

RESULT disk_room_check_for(struct ctx *c, const struct disk_payer *payer, const char *directory, int64_t size)
{
	struct disk_share share = {.payer = payer ? *payer : (struct disk_payer){0}};
	TRY(disk_share_take(&share, c, directory, size));
	disk_share_end(&share);
	return OK;
}

int64_t disk_room_largest(const char *directory)
{
	struct disk_room room;
	if (!read_room(directory, &room))
		return 0;
	(void) pthread_mutex_lock(&shares_lock);
	int64_t largest = find_largest(&room);
	(void) pthread_mutex_unlock(&shares_lock);
	return largest;
}

int64_t disk_room_left_for(const struct disk_payer *payer)
{
	if (!is_charged(payer))
		return INT64_MAX;
	(void) pthread_mutex_lock(&shares_lock);
	int64_t left = find_left(payer);
	(void) pthread_mutex_unlock(&shares_lock);
	return left;
}
