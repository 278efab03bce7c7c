// sim_site_files.h: the files of simulator/page, each ended by a NUL that its length does
// not count. simulator/page/embed.cmake writes the source when the program is built.
#ifndef SIM_SITE_FILES_H
#define SIM_SITE_FILES_H

#include <stddef.h>

extern const unsigned char sim_site_index_html[], sim_site_page_css[], sim_site_page_js[];
extern const size_t sim_site_index_html_len, sim_site_page_css_len, sim_site_page_js_len;

#endif
