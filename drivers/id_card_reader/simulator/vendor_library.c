/* A library that behaves like a vendor's, both families (domain.md 2.2, 2.3). Built by vendor_library.py with
 * -DFOLDER="..." and -DSDTAPI or -DTERMB. In the folder: `card` (256 bytes of text, then photo; absent = no card),
 * `address` (new addresses of 70 bytes), `knobs`: lines "CALL WHAT [NUMBER]" with WHAT of
 * hang, crash, spin, code, slow (milliseconds), short, long, overrun, chatty. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#if defined(SDTAPI) || defined(TERMB)
static int open_ports = 0, stage = 0; /* 0 new, 1 found, 2 selected, 3 read */
static const char *card_path = FOLDER "/card";

static void nap(long milliseconds) {
    struct timespec span = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    nanosleep(&span, NULL);
}

static int knob(const char *call, const char *what, int *number) {
    FILE *file = fopen(FOLDER "/knobs", "r");
    char of[64], is[64];
    int value, found = 0;
    if (!file) return 0;
    while (!found && fscanf(file, "%63s %63s %d", of, is, &value) == 3)
        if (!strcmp(of, call) && !strcmp(is, what)) { found = 1; if (number) *number = value; }
    fclose(file);
    return found;
}

/* What befalls every call. Returns 1 when it must answer *code. */
static int befalls(const char *call, int *code) {
    int number;
    FILE *file = fopen(FOLDER "/calls", "a");
    if (file) { fprintf(file, "%s\n", call); fclose(file); }
    if (knob(call, "hang", NULL)) for (;;) pause();
    if (knob(call, "spin", NULL)) for (;;) ;
    if (knob(call, "crash", NULL)) raise(SIGSEGV);
    if (knob(call, "slow", &number)) nap(number);
    return knob(call, "code", code);
}

/* Another card is a new one, even when nobody looked between the two. */
static int card_lies_there(void) {
    static struct timespec placed;
    struct stat about;
    if (stat(card_path, &about)) return 0;
    if (about.st_mtim.tv_sec != placed.tv_sec || about.st_mtim.tv_nsec != placed.tv_nsec) stage = 0;
    placed = about.st_mtim;
    return 1;
}

static int copy_card(const char *call, unsigned char *text, unsigned int *text_length, unsigned char *photo,
                     unsigned int *photo_length) {
    FILE *file = fopen(card_path, "rb");
    if (!file) return 0;
    size_t got = fread(text, 1, 256, file), more = fread(photo, 1, 1024, file);
    fclose(file);
    *text_length = (unsigned int)got;
    *photo_length = (unsigned int)more;
    if (knob(call, "short", NULL)) *text_length = 200;
    if (knob(call, "long", NULL)) *text_length = 65535;
    if (knob(call, "overrun", NULL)) memset(text + 256, 0x20, 44);
    if (knob(call, "chatty", NULL)) { fwrite(text, 1, 60, stdout); printf("350203190102030017\n"); fflush(stdout); }
    return 1;
}

#endif

#ifdef COMPANION
int companion_answers(void);
#endif

#ifdef SDTAPI
#define CODE(call) int code; if (befalls(call, &code)) return code
int SDT_OpenPort(int port) {
    CODE("SDT_OpenPort");
#ifdef COMPANION
    if (companion_answers() != 42) return 1;
#endif
    if (port != 1003) return 1;
    open_ports++;
    return 0x90;
}
int SDT_ClosePort(int port) { CODE("SDT_ClosePort"); (void)port; open_ports--; return 0x90; }
int SDT_GetSAMStatus(int port, int open) { CODE("SDT_GetSAMStatus"); return port == 1003 && !open ? 0x90 : 1; }
int SDT_GetSAMID(int port, unsigned char *id, int open) {
    static const unsigned char SAM[16] = {5, 0, 1, 0, 0x47, 0x54, 0x33, 1, 0x40, 0xE2, 1, 0, 0xD2, 2, 0x96, 0x49};
    CODE("SDT_GetSAMID");
    (void)port, (void)open;
    memcpy(id, SAM, 16);
    return 0x90;
}
int SDT_StartFindIDCard(int port, unsigned char *iin, int open) {
    CODE("SDT_StartFindIDCard");
    (void)port, (void)open;
    if (!card_lies_there()) { stage = 0; return 0x80; }
    if (stage == 3) return 0x80;
    memset(iin, 0, 4);
    stage = 1;
    return 0x9F;
}
int SDT_SelectIDCard(int port, unsigned char *serial, int open) {
    CODE("SDT_SelectIDCard");
    (void)port, (void)open;
    if (!card_lies_there() || stage < 1) return 0x81;
    memset(serial, 1, 8);
    stage = 2;
    return 0x90;
}
int SDT_ReadBaseMsg(int port, unsigned char *text, unsigned int *text_length, unsigned char *photo,
                    unsigned int *photo_length, int open) {
    CODE("SDT_ReadBaseMsg");
    (void)port, (void)open;
    if (stage < 2 || !copy_card("SDT_ReadBaseMsg", text, text_length, photo, photo_length)) return 0x41;
    stage = 3;
    return 0x90;
}
int SDT_ReadNewAppMsg(int port, unsigned char *buffer, unsigned int *length, int open) {
    CODE("SDT_ReadNewAppMsg");
    (void)port, (void)open;
    if (!card_lies_there() || stage < 2) { stage = 0; return 0x41; }
    FILE *file = fopen(FOLDER "/address", "rb");
    if (!file) return 0x91;
    *length = (unsigned int)fread(buffer, 1, 320, file);
    fclose(file);
    return 0x90;
}
int SDT_ReadBaseMsgToFile(int port, char *text_file, unsigned int *length, char *photo_file, unsigned int *more, int o) {
    (void)port, (void)text_file, (void)length, (void)photo_file, (void)more, (void)o;
    fclose(fopen("WZ.TXT", "w"));
    return 0x90;
}
#endif

#ifdef TERMB
#define CODE(call) int code; if (befalls(call, &code)) return code
int CVR_InitComm(int port) { CODE("CVR_InitComm"); if (port != 1003) return 2; open_ports++; return 1; }
int CVR_CloseComm(void) { CODE("CVR_CloseComm"); open_ports--; return 1; }
int CVR_Authenticate(void) {
    CODE("CVR_Authenticate");
    if (!open_ports) return 0;
    if (!card_lies_there()) { stage = 0; return 2; }
    if (stage == 3) return 2;
    stage = 2;
    return 1;
}
#ifndef WITHOUT_PRESENCE
int CVR_AuthenticateForNoJudge(void) {
    CODE("CVR_AuthenticateForNoJudge");
    if (!open_ports) return 0;
    if (!card_lies_there()) { stage = 0; return 2; }
    stage = 2;
    return 1;
}
#endif
int CVR_ReadBaseMsg(unsigned char *text, unsigned int *text_length, unsigned char *photo, unsigned int *photo_length,
                    int mode) {
    CODE("CVR_ReadBaseMsg");
    if (mode != 1) fclose(fopen("ZP.BMP", "w"));
    if (stage < 2 || !copy_card("CVR_ReadBaseMsg", text, text_length, photo, photo_length)) return 0;
    stage = 3;
    return 1;
}
int CVR_GetSAMID(char *id) { CODE("CVR_GetSAMID"); strcpy(id, "05.01-20141127-0000123456-1234567890"); return 1; }
int CVR_Read_Content(int active) { (void)active; fclose(fopen("WZ.TXT", "w")); return 1; }
#endif

#ifdef IS_COMPANION
int companion_answers(void) { return 42; }
#endif

#ifdef HANGS_AT_LOADING
__attribute__((constructor)) static void hang(void) { for (;;) pause(); }
#endif
