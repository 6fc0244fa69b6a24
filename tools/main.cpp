#include "base/huge_pages.h"
#include "tools/program.h"

int main(int argc, char** argv) {
  keyshift::prefer_huge_heap();
  return keyshift::tools::run_program(argc, argv);
}
