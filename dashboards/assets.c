// The assembler includes the bytes, so the program runs without its source tree and nothing has to be
// generated.

#include "dashboards/assets.h"
#include <string.h>

#define ASSET(symbol, file)                                                                                  \
    __asm__(".pushsection .rodata\n"                                                                         \
            ".global " #symbol "\n" #symbol ":\n"                                                            \
            ".incbin \"dashboards/web/" file "\"\n"                                                          \
            ".global " #symbol "_end\n" #symbol "_end:\n"                                                    \
            ".byte 0\n"                                                                                      \
            ".popsection\n")

ASSET(asset_style, "style.css");
ASSET(asset_live, "live.js");
ASSET(asset_icon, "icon.svg");
extern const char asset_style[], asset_style_end[];
extern const char asset_live[], asset_live_end[];
extern const char asset_icon[], asset_icon_end[];

static const struct {
    const char *name, *content_type, *start, *end;
} assets[] = {
    {"style.css", "text/css; charset=utf-8", asset_style, asset_style_end},
    {"live.js", "text/javascript; charset=utf-8", asset_live, asset_live_end},
    {"icon.svg", "image/svg+xml", asset_icon, asset_icon_end},
};

void assets_file(struct site *s, struct exchange *x)
{
    (void)s;
    for (size_t i = 0; i < sizeof assets / sizeof *assets; i++) {
        if (strcmp(assets[i].name, x->parts[0]) != 0)
            continue;
        size_t len = (size_t)(assets[i].end - assets[i].start);
        x->content_type = assets[i].content_type;
        x->cache_control = "no-cache"; // ask again, get a 304
        if (exchange_fresh(x, assets[i].start, len))
            return;
        x->status = 200;
        buf_append(&x->body, assets[i].start, len);
        return;
    }
    exchange_fail(x, 404, "there is no file %s here", x->parts[0]);
}

void assets_robots(struct site *s, struct exchange *x)
{
    (void)s;
    x->status = 200;
    x->content_type = "text/plain; charset=utf-8";
    buf_text(&x->body, "User-agent: *\nDisallow: /\n");
}
