namespace sealpost { const int kPlaceholder = 0; }
