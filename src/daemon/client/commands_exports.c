/* SPDX-License-Identifier: Apache-2.0
 * dari image export and dari export …: images as files for other clouds. Changes: commands_changes.c. */
#include "daemon/client/ask.h"
#include "daemon/command.h"

/* The name of the file below the export directory; empty: there is no file. */
static struct str file_of(const struct asking *a, const json_t *row)
{
	struct str account = asking_text(row, "account"), bucket = asking_text(row, "bucket"),
		   prefix = asking_text(row, "prefix"), id = asking_text(row, "ec2"),
		   format = asking_text(row, "format");
	if (!str_is(asking_text(row, "state"), "completed"))
		return STR_NONE;
	if (!account.n) /* the region's */
		account = STR("00000000-0000-0000-0000-000000000000");
	return str_print(a->c->arena, "%" STR_FMT "/%" STR_FMT "/%" STR_FMT "%" STR_FMT ".%" STR_FMT,
			 STR_ARG(account), STR_ARG(bucket), STR_ARG(prefix), STR_ARG(id), STR_ARG(format));
}

static RESULT list_exports(struct asking *a)
{
	const json_t *rows = NULL;
	json_t *row = NULL;
	size_t k = 0;
	TRY(asking_list(a, "/export-image-tasks", "*", &rows));
	buf_print(&a->text, "%-36s %-9s %-6s %-36s %s\n", "id", "state", "format", "image",
		  "file or problem");
	json_array_foreach (rows, k, row) {
		struct str id = asking_text(row, "id"), state = asking_text(row, "state"),
			   format = asking_text(row, "format"), image = asking_text(row, "image"),
			   problem = asking_text(row, "problem"), note = asking_text(row, "licence_note");
		struct str file = problem.n ? problem : file_of(a, row);
		buf_print(&a->text, "%-36.*s %-9.*s %-6.*s %-36.*s %" STR_FMT "%s%" STR_FMT "\n", STR_ARG(id),
			  STR_ARG(state), STR_ARG(format), STR_ARG(image), STR_ARG(file), note.n ? "  " : "",
			  STR_ARG(note));
		(void) json_array_append(a->value, row);
	}
	return OK;
}

#define EXPORT_PARAM                                                                                         \
	{                                                                                                    \
		"id", PARAM_POSITIONAL, true, "The export, as `dari export list` shows it."                  \
	}

const struct command export_commands[] = {
	{"image export",
	 "Writes an image's disks to a file for other clouds, in the export directory.",
	 {{"image", PARAM_POSITIONAL, true, "The image, by EC2's id, UUID or name."},
	  {"format", PARAM_OPTION, false, "qcow2, raw, vmdk, vhd, vhdx or ova (default: qcow2)."},
	  {"bucket", PARAM_OPTION, false, "Folder for the file (default: exports)."},
	  {"prefix", PARAM_OPTION, false, "Prefix of the file name."},
	  {"description", PARAM_OPTION, false, "Description: free text."}},
	 .ask = asking_make_change},
	{"export list", "Lists exports of images, with their files.", {{0}}, .ask = list_exports},
	{"export cancel", "Cancels an export.", {EXPORT_PARAM}, .ask = asking_make_change},
	{"export remove", "Removes an export with its file.", {EXPORT_PARAM}, .ask = asking_make_change},
	{0},
};
