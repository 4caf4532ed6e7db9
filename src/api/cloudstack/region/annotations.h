/* SPDX-License-Identifier: Apache-2.0
 * Annotations, as other answers show them. */
#pragma once

#include "api/cloudstack/core/action.h"

/* As member.write: true if a resource has notes that the caller sees. Nothing is written of the many that have
 * none: clients read an absent member as false. */
void cs_write_has_annotations(struct api_call *e, struct json_writer *w, const char *name,
			      const struct row *row);
/* The same of the pod or the cluster that a zone stands for. */
void cs_write_pod_has_annotations(struct api_call *e, struct json_writer *w, const char *name,
				  const struct row *zone);
void cs_write_cluster_has_annotations(struct api_call *e, struct json_writer *w, const char *name,
				      const struct row *zone);
#define CS_HAS_ANNOTATIONS MEMBER_WRITTEN("hasannotations", cs_write_has_annotations)
/* As member.write of a host: its newest note, with when and by whom. */
void cs_write_newest_annotation(struct api_call *e, struct json_writer *w, const char *name,
				const struct row *host);
#define CS_NEWEST_ANNOTATION                                                                                 \
	MEMBER_WRITTEN("annotation", cs_write_newest_annotation, .also = "lastannotated|username")
