// Programmes, projects and membership as JSON, for the handlers of parks.
#ifndef ESEP_DASHBOARDS_API_PROGRAMMES_H
#define ESEP_DASHBOARDS_API_PROGRAMMES_H

#include "dashboards/api/api.h"
#include "dashboards/programmes.h"

// "programmes": […].
void api_put_programmes(struct writer *j, const struct programme_source *s, const struct span *within);
// "projects": {…}; nothing where there is none to be seen.
void api_put_projects(struct writer *j, const struct programme_source *s);
// "joined", "left", "merged_into" of a resident that the viewer may see.
void api_put_member(struct writer *j, const struct viewer *v, const struct park *park,
                    const struct resident *r);

#endif
