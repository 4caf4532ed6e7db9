/* SPDX-License-Identifier: Apache-2.0
 * A bitmap of the questions in memory that the cases share, because each case runs in a child. */
#include "golden_asked.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "model/permission.h"
#include "model/row.h"
#include "world.h"

enum { LINE_SIZE = 512 };

struct asked {
	_Atomic bool heard[PERMISSION_COUNT][KIND_COUNT]; /* by any case; cases run in children */
};

static struct asked *asked;
static bool excused[PERMISSION_COUNT][KIND_COUNT];

static void hear(int permission, enum kind kind)
{
	asked->heard[permission][kind] = true;
}

void asked_begin(void)
{
	asked = mmap(NULL, sizeof *asked, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (asked == MAP_FAILED)
		abort();
	world_hear = hear;
}

static bool names(const char *kinds, const char *kind)
{
	size_t length = strlen(kind);
	for (const char *at = strstr(kinds, kind); at; at = strstr(at + 1, kind))
		if ((at == kinds || at[-1] == ' ') && (at[length] == ' ' || !at[length]))
			return true;
	return false;
}

static int fail(const char *permission, const char *kind, const char *what)
{
	fprintf(stderr, "%s %s: %s\n", permission, kind, what);
	return 1;
}

static int read_line(char *line)
{
	char *rest = NULL, *word = strtok_r(line, " \n", &rest);
	int permission = word ? permission_find(str_from(word)) : PERMISSION_NONE, wrong = 0;
	if (!word || *word == '#')
		return 0;
	if (permission == PERMISSION_NONE)
		return fail(word, "", "no such permission");
	while ((word = strtok_r(NULL, " \n", &rest)) && *word != '#') {
		unsigned kind = 0;
		while (kind < KIND_COUNT && strcmp(model_kinds[kind].name, word) != 0)
			kind++;
		if (kind == KIND_COUNT || !names(model_permissions[permission].kinds, word))
			wrong += fail(model_permissions[permission].name, word,
				      "permissions.def names no such kind");
		else
			excused[permission][kind] = true;
	}
	return wrong;
}

static int read_excuses(const char *path)
{
	char line[LINE_SIZE];
	int wrong = 0;
	FILE *file = fopen(path, "r");
	if (!file)
		return fail(path, "", "cannot be read");
	while (fgets(line, sizeof line, file))
		wrong += read_line(line);
	fclose(file);
	return wrong;
}

void asked_compare(const char *path, int *passes, int *failures)
{
	*failures += read_excuses(path);
	for (int p = 0; p < PERMISSION_COUNT; p++)
		for (unsigned k = 0; k < KIND_COUNT; k++) {
			const char *name = model_permissions[p].name, *kind = model_kinds[k].name;
			bool is_named = names(model_permissions[p].kinds, kind);
			if (is_named && !asked->heard[p][k] && !excused[p][k])
				*failures += fail(name, kind, "no golden case asks about such a row");
			else if (excused[p][k] && asked->heard[p][k])
				*failures += fail(name, kind, "is asked about, and listed as if it were not");
			else
				*passes += is_named;
		}
}
