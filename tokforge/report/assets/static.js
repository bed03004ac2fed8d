frame();
