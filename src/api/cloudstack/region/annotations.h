/* SPDX-License-Identifier: Apache-2.0
 * Annotations, as other answers show them. */
#pragma once

#include "api/cloudstack/core/action.h"

/* Writes true if a resource has notes that the caller sees. The many that have none get no member, which clients
 * read as false. Each function here has the signature of member.write. */
void cs_write_has_annotations(struct api_call *e, struct json_writer *w, const char *name,
			      const struct row *row);
/* The same of the pod or the cluster that a zone stands for. */
void cs_write_pod_has_annotations(struct api_call *e, struct json_writer *w, const char *name,
				  const struct row *zone);
void cs_write_cluster_has_annotations(struct api_call *e, struct json_writer *w, const char *name,
				      const struct row *zone);
#define CS_HAS_ANNOTATIONS MEMBER_WRITTEN("hasannotations", cs_write_has_annotations)
/* Writes a host's newest note, its time and its author. */
void cs_write_newest_annotation(struct api_call *e, struct json_writer *w, const char *name,
				const struct row *host);
#define CS_NEWEST_ANNOTATION                                                                                 \
	MEMBER_WRITTEN("annotation", cs_write_newest_annotation, .also = "lastannotated|username")
